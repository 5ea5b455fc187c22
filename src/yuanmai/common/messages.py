"""The translations of every room: compile them, and prove that none is missing.

    python -m yuanmai.common.messages            compile each room's django.po to django.mo
    python -m yuanmai.common.messages --check    also list what is used and not translated

Screens are written with English message ids. Each room keeps its Simplified Chinese in
``<room>/locale/zh_Hans/LC_MESSAGES/django.po``; Django merges all of them, so a message counts as translated when any
room translates it, and two rooms that translate one message differently are reported (the one installed first would win
silently). Building and checking need Babel (requirements/setup.txt); running the program needs the ``.mo`` files only.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import io
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1]
LANGUAGES = ("zh_Hans",)

# What Python code calls to mark a message, in the notation of Babel: which argument is what.
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
TEMPLATE_SUFFIXES = (".html", ".txt", ".xml")
# ``_('…')`` inside an attribute of a component tag, which Django's own extraction does not look into.
ATTRIBUTE_CALL = re.compile(r"""(?<![\w.])_\(\s*(?:"([^"]*)"|'([^']*)')\s*\)""")
PLACEHOLDER = re.compile(r"%\((\w+)\)[sdfr]|\{(\w*)\}")

Key = tuple[str | None, str]


@dataclass
class Message:
    """One message that the sources use: ``context`` (or None), ``text``, and the places, as ``path:line``."""

    context: str | None
    text: str
    places: list[str] = field(default_factory=list)


@dataclass
class Problem:
    """One thing to mend in a translation: the ``room``, what is wrong, the message, and one place that uses it."""

    room: str
    what: str
    text: str
    place: str = ""

    def __str__(self) -> str:
        where = f"  ({self.place})" if self.place else ""
        return f"{self.room}: {self.what}: {self.text!r}{where}"


def catalog_files(package: Path = PACKAGE) -> list[Path]:
    """Every ``django.po`` of the package, room by room in the order of the alphabet."""
    return sorted(package.glob("**/locale/*/LC_MESSAGES/*.po"))


def compile_all(package: Path = PACKAGE, *, force: bool = False) -> list[Path]:
    """Write the ``.mo`` beside each ``.po`` that is newer than it and return the files written. Fuzzy entries stay out."""
    read_po, write_mo = _babel()
    written = []
    for source in catalog_files(package):
        target = source.with_suffix(".mo")
        if not force and target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as stream:
            catalog = read_po(stream, locale=source.parents[1].name)
        beside = target.with_suffix(".mo.new")
        with beside.open("wb") as stream:
            write_mo(stream, catalog)
        beside.replace(target)
        written.append(target)
    return written


def used_messages(folder: Path) -> dict[Key, Message]:
    """The messages that the Python files and templates under ``folder`` mark for translation."""
    found: dict[Key, Message] = {}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if "migrations" in parts or "assets" in parts or "node_modules" in parts:
            continue
        if path.suffix == ".py":
            entries = _from_python(path.read_bytes())
        elif path.suffix in TEMPLATE_SUFFIXES and "templates" in parts:
            entries = _from_template(path.read_text("utf-8"), str(path))
        else:
            continue
        for line, context, text in entries:
            if not text:
                continue
            message = found.setdefault((context, text), Message(context, text))
            message.places.append(f"{path.relative_to(folder.parent)}:{line}")
    return found


def check(package: Path = PACKAGE, languages: tuple[str, ...] = LANGUAGES) -> list[Problem]:
    """Everything that keeps the translations from being complete and of one voice; an empty list when nothing does."""
    problems: list[Problem] = []
    rooms = sorted(p for p in package.iterdir() if p.is_dir() and not p.name.startswith(("_", ".")))
    for language in languages:
        translated = _framework_messages(language)
        for room in rooms:
            for source in sorted(room.glob(f"**/locale/{language}/LC_MESSAGES/*.po")):
                problems += _check_catalog(room.name, source, translated)
        for room in rooms:
            for key, message in used_messages(room).items():
                if key not in translated:
                    problems.append(
                        Problem(room.name, f"not translated into {language}", message.text, message.places[0])
                    )
    return problems


def _framework_messages(language: str) -> dict[Key, tuple[str, Any]]:
    """What Django itself translates on every page (names of languages, months, its own form errors)."""
    framework = importlib.util.find_spec("django")
    if framework is None or framework.origin is None:
        return {}
    source = Path(framework.origin).parent / "conf" / "locale" / language / "LC_MESSAGES" / "django.po"
    with source.open("rb") as stream:
        catalog = _babel()[0](stream, locale=language)
    # None: a room may say it in its own words; its catalogue is read before Django's.
    return {
        (e.context, e.id if isinstance(e.id, str) else e.id[0]): ("", None)
        for e in catalog
        if e.id and e.string
    }


def _check_catalog(room: str, source: Path, translated: dict[Key, tuple[str, Any]]) -> list[Problem]:
    """The faults within one catalogue and against those read before it; what it translates is added to ``translated``."""
    read_po, _ = _babel()
    with source.open("rb") as stream:
        catalog = read_po(stream, locale=source.parents[1].name, abort_invalid=True)
    problems = []
    for entry in catalog:
        if not entry.id:
            continue
        one = entry.id if isinstance(entry.id, str) else entry.id[0]
        strings = [entry.string] if isinstance(entry.string, str) else list(entry.string)
        place = f"{source.name}:{entry.lineno}" if entry.lineno else source.name
        if entry.fuzzy:
            problems.append(Problem(room, "marked fuzzy", one, place))
        if not all(strings):
            problems.append(Problem(room, "empty translation", one, place))
            continue
        wanted = set(PLACEHOLDER.findall(one if isinstance(entry.id, str) else entry.id[1]))
        for string in strings:
            if set(PLACEHOLDER.findall(string)) - wanted:
                problems.append(Problem(room, "a placeholder that the message does not have", one, place))
            elif isinstance(entry.id, str) and wanted - set(PLACEHOLDER.findall(string)):
                problems.append(Problem(room, "a placeholder is lost in the translation", one, place))
        key = (entry.context, one)
        before = translated.get(key)
        if before and before[1] not in (None, entry.string):
            problems.append(
                Problem(room, f"translated differently by {before[0]} ({before[1]!r}, {entry.string!r})", one)
            )
        if before is None or before[1] is None:
            translated[key] = (room, entry.string)
    return problems


def _from_python(source: bytes) -> Iterator[tuple[int, str | None, str]]:
    """(line, context, message) of each marked string of a Python source."""
    extract = importlib.import_module("babel.messages.extract").extract
    for line, messages, _comments, context in extract("python", io.BytesIO(source), KEYWORDS):
        yield line, context, messages if isinstance(messages, str) else messages[0]


def _from_template(source: str, name: str) -> Iterator[tuple[int, str | None, str]]:
    """(line, context, message) of each marked string of a Django template.

    Django turns the template into lines that look like Python calls among blanked-out text; each line is read by itself,
    because the whole is not a valid program.
    """
    templatize: Callable[..., str] = importlib.import_module("django.utils.translation.template").templatize
    for number, line in enumerate(templatize(source, origin=name).splitlines(), start=1):
        if "(" in line:
            for _line, context, text in _from_python(line.strip().encode()):
                yield number, context, text
    for number, line in enumerate(source.splitlines(), start=1):
        for double, single in ATTRIBUTE_CALL.findall(line):
            yield number, None, double or single


def _babel() -> tuple[Callable[..., Any], Callable[..., None]]:
    """Babel's reader and writer. Raises SystemExit with what to do when Babel is not installed."""
    try:
        return (
            importlib.import_module("babel.messages.pofile").read_po,
            importlib.import_module("babel.messages.mofile").write_mo,
        )
    except ModuleNotFoundError:
        raise SystemExit(
            "Compiling translations needs Babel: run 'make setup', or 'pip install Babel'."
        ) from None


def main(arguments: list[str] | None = None) -> int:
    """The command; returns 0 when all is well and 1 when ``--check`` found something."""
    parser = argparse.ArgumentParser(prog="python -m yuanmai.common.messages", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="list untranslated, empty, fuzzy and contradictory entries"
    )
    parser.add_argument("--room", help="with --check: report only this room")
    options = parser.parse_args(arguments)
    compiled = compile_all()
    sys.stdout.write(f"{len(compiled)} of {len(catalog_files())} translation files compiled\n")
    if not options.check:
        return 0
    problems = [p for p in check() if options.room in (None, p.room)]
    sys.stdout.write("".join(f"{problem}\n" for problem in problems))
    sys.stdout.write(f"{len(problems)} problems in the translations\n")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
