"""The commands ``yuanmai backup`` and ``yuanmai restore``."""

from dataclasses import asdict
from pathlib import Path

import click
from django.core.management import call_command
from django.utils.translation import gettext as _

from yuanmai.core.backup.archive import Summary, restore, write
from yuanmai.core.console import command, print_json


def _say(summary: Summary, path: Path, as_json: bool) -> None:
    if as_json:
        print_json({"file": str(path), **asdict(summary)})
        return
    text = _(
        "%(path)s: %(database)s, %(files)d uploaded files and %(others)d of readings, %(size).1f MB, of %(moment)s"
    ) % {
        "path": path,
        "database": summary.database,
        "files": summary.files,
        "others": summary.others,
        "size": summary.size / 1e6,
        "moment": summary.created_at,
    }
    click.echo(text)
    if not summary.secret_key:
        click.echo(_("The secret key is not in it. Keep it too, in another place."))


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--with-secret-key", is_flag=True, help="Put the secret key into the archive, too.")
@click.option("--without-readings", is_flag=True, help="Leave readings out; they are kept in another way.")
@command
def backup_command(file: Path, with_secret_key: bool, without_readings: bool, as_json: bool) -> None:
    """Write database, uploaded files and readings into one archive, while the program goes on running."""
    without = ("readings",) if without_readings else ()
    _say(write(file.resolve(), with_key=with_secret_key, without=without), file, as_json)


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@command
def restore_command(file: Path, as_json: bool) -> None:
    """Bring an archive back into an empty installation, then bring its tables up to date."""
    summary = restore(file.resolve())
    call_command("migrate", interactive=False, verbosity=0)
    _say(summary, file, as_json)
