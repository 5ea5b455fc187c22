"""Commands: take over a workbook, take it back."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
from django.core.exceptions import ValidationError
from django.utils import timezone

from yuanmai.core.console import Refused, command, print_json
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.core.workbooks.engine.faults import BookError
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.importing import import_data, org_of, recognise, undo_batch
from yuanmai.core.workbooks.kinds import KINDS
from yuanmai.core.workbooks.running import Options, book_document, fault_document


def _known(code: str | None) -> str | None:
    if code is not None and code not in KINDS:
        raise Refused(f"--kind {code}? {', '.join(sorted(KINDS))}")
    return code


def _refuse(errors: list[dict[str, Any]]) -> Refused:
    return Refused("\n".join(str(e["message"]) for e in errors), {"errors": errors})


@click.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--kind", help="Kind of workbook; recognised by its heads unless said.")
@click.option("--scope", help="Code of the organisation to which the file belongs.")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day the figures speak of, if the file does not say.",
)
@click.option("--sheet", help="Name of the sheet, if the file has several.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@command
def import_command(
    file: Path,
    kind: str | None,
    scope: str | None,
    as_of: datetime | None,
    sheet: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take over the workbook FILE: all of it, or nothing and a list of everything that is wrong in it."""
    _known(kind)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise Refused(f"{file}: {error.strerror}", {"errors": [_io(file, error)]}) from None
    day: date | None = as_of.date() if as_of else None
    with everywhere():
        org = org_of(scope)
        try:
            code = kind or recognise(data, file.name)
            result = import_data(
                SYSTEM,
                code,
                org,
                data,
                file.name,
                Options(sheet=sheet, as_of=day),
                timezone.localdate(),
                dry_run=dry_run,
            )
        except BookError as error:
            raise _refuse([book_document(error, file.name)]) from None
    if isinstance(result, Parsed):
        raise _refuse([fault_document(fault) for fault in result.errors])
    if as_json:
        print_json(result)
        return
    click.echo(
        "{sheet}: +{created} ~{updated} ={unchanged}".format(**result)
        + (f"  #{result['batch']}" if result["batch"] else "")
    )
    for finding in result["findings"]:
        click.echo(f"  ! {finding['message']}")


def _io(file: Path, error: OSError) -> dict[str, str]:
    return {
        "sheet": "",
        "cell": "",
        "column": "",
        "value": str(file),
        "rule": "file.unreadable",
        "message": f"{file}: {error.strerror}",
    }


@click.command("undo")
@click.argument("batch", type=int)
@command
def undo_command(batch: int, as_json: bool) -> None:
    """Take back the import BATCH, exactly."""
    with everywhere():
        try:
            result = undo_batch(SYSTEM, batch)
        except ValidationError as error:
            raise Refused(
                "; ".join(error.messages), {"title": "; ".join(error.messages), "status": 409}
            ) from None
    if as_json:
        print_json(result)
    else:
        count = next(value for name, value in result.items() if name not in {"batch", "undone"})
        click.echo(f"#{batch}: -{count}")
