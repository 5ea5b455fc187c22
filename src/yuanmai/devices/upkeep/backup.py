"""Readings in a backup: the lake, and what the journals hold that is not in it yet."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from yuanmai.core.backup.parts import Member, Part, register_part
from yuanmai.core.console import Refused

# What reads and writes readings is loaded by those who need it only: every command declares this part.


def lake_folder() -> Path | None:
    """Return the folder of the lake, or None where it lies in an object store."""
    from yuanmai.devices.store.files import LocalFiles, open_files

    files = open_files(settings.LAKE)
    return Path(files.root) if isinstance(files, LocalFiles) else None


@contextmanager
def hold(folder: Path) -> Iterator[list[Member]]:
    """Give the files of journals and lake. A lake in an object store is not among them: that keeps versions of its own."""
    from yuanmai.devices.store.copying import copy_journals, held, holds_readings
    from yuanmai.devices.store.lake import Lake

    kept = [(f"journal/{name}", path) for name, path in copy_journals(Path(settings.JOURNAL_ROOT), folder)]
    lake = lake_folder()
    if lake is None or not holds_readings(lake):
        yield kept
        return
    with held(Lake(settings.LAKE)) as files:
        yield kept + [(f"lake/{name}", path) for name, path in files]


def require_place(folder: Path) -> None:
    """Raise `Refused` where there are readings already, or where those of the backup are not kept in a folder here."""
    from yuanmai.devices.store.copying import holds_readings

    lake = lake_folder()
    if lake is None:
        if (folder / "lake").is_dir():
            raise Refused(
                _(
                    "The backup holds readings, but this installation keeps its own in %(path)s. Set YUANMAI_LAKE to a folder."
                )
                % {"path": settings.LAKE}
            )
    elif holds_readings(lake):
        raise Refused(
            _(
                "There are readings in %(path)s already. Set YUANMAI_LAKE (or YUANMAI_HOME) to an empty folder."
            )
            % {"path": settings.LAKE}
        )


def restore(folder: Path, stamp: str) -> None:
    """Put lake and journals into their places; `stamp` becomes part of the journals' names."""
    from yuanmai.devices.store.copying import bring_back

    bring_back(folder, Path(settings.JOURNAL_ROOT), lake_folder(), stamp)


register_part(Part("readings", hold, require_place, restore))
