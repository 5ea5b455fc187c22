"""Commands that hand data out in open formats."""

from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO

import click
from django.utils import timezone
from django.utils.translation import gettext as _

from yuanmai.core.console import Refused, command
from yuanmai.core.figures import Query
from yuanmai.core.scope import everywhere
from yuanmai.core.workbooks.importing import org_of
from yuanmai.funds.papers.oc4ids.gather import project_ids
from yuanmai.funds.papers.oc4ids.stream import package, uri_of
from yuanmai.people.models import Organisation
from yuanmai.projects.ledger import org_ids_below


@click.group()
def export() -> None:
    """Hand data out in open formats."""


@export.command()
@click.option("--scope", help="Code of an organisation; everything below it is included.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day asked for.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; standard output without it.",
)
@command
def oc4ids(scope: str | None, as_of: datetime | None, output: Path | None, as_json: bool) -> None:
    """Write the projects of a place as an OC4IDS 0.9.5 project package."""
    with everywhere():
        org = Organisation.objects.get(pk=org_of(scope))
        day: date = as_of.date() if as_of else org.default_as_of or timezone.localdate()
        query = Query(org_ids_below(org.pk), day)
        if not project_ids(query):
            raise Refused(
                _("“%(name)s” has no project on %(day)s; a package needs one at least.")
                % {"name": org.name, "day": day}
            )
    pieces = package(query, uri=uri_of(org.code, query), publisher=org.name)
    if output is None:
        for piece in pieces:
            click.echo(piece, nl=False)
        return
    try:
        _write(output, pieces)
    except OSError as error:
        raise Refused(f"{output}: {error.strerror}") from None
    if not as_json:
        click.echo(str(output), err=True)


def _write(output: Path, pieces: Any) -> None:
    """Write a file whole or not at all."""
    part = output.with_name(f".{output.name}.part")
    try:
        with part.open("wb") as stream:
            target: BinaryIO = stream
            for piece in pieces:
                target.write(piece.encode("utf-8"))
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
