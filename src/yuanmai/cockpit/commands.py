"""Commands that read figures and write bulletins."""

from datetime import datetime, time

import click
from django.utils import timezone

from yuanmai.cockpit.answers import definition_document, figure_document
from yuanmai.cockpit.bulletins.commands import bulletin
from yuanmai.common.plain import number
from yuanmai.core.console import Refused, command, print_json
from yuanmai.core.figures import FIGURES, Query, rows
from yuanmai.core.scope import open_scope
from yuanmai.people.actor import subtree_ids
from yuanmai.people.models import Organisation

__all__ = ["bulletin", "figure", "figures"]


def scope_ids(code: str | None) -> tuple[int, ...]:
    """Return the ids of an organisation and all below it, or of all organisations; raises `Refused`."""
    if code is None:
        return tuple(Organisation.objects.values_list("id", flat=True))
    org = Organisation.objects.filter(code=code).first()
    if org is None:
        known = ", ".join(Organisation.objects.order_by("path").values_list("code", flat=True)[:20])
        raise Refused(f"--scope {code}? {known}")
    return tuple(sorted(subtree_ids([org.path])[org.path]))


def query_of(
    scope: str | None, as_of: datetime | None, known_at: datetime | None, filters: tuple[str, ...] = ()
) -> Query:
    """Build the question from a command's options; a date as `known_at` means its end."""
    pairs = []
    for text in filters:
        dimension, sep, value = text.partition("=")
        if not sep:
            raise Refused(f"--where {text}: DIMENSION=VALUE")
        pairs.append((dimension, value))
    if known_at is not None:
        if known_at.time() == time(0):
            known_at = datetime.combine(known_at.date(), time.max)
        known_at = timezone.make_aware(known_at)
    ids = scope_ids(scope)
    day = as_of.date() if as_of else None
    if day is None and scope:
        day = Organisation.objects.values_list("default_as_of", flat=True).get(code=scope)
    return Query(ids, day or timezone.localdate(), known_at, tuple(sorted(pairs)))


MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"])


@click.command()
@click.argument("code")
@click.option("--scope", help="Code of an organisation; everything below it is included.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day asked for.")
@click.option("--known-at", type=MOMENT, help="By the knowledge of that moment.")
@click.option(
    "--where", "filters", multiple=True, help="DIMENSION=VALUE, e.g. kind=new_start; may be repeated."
)
@click.option("--rows", "with_rows", is_flag=True, help="Add the rows behind the figure.")
@command
def figure(
    code: str,
    scope: str | None,
    as_of: datetime | None,
    known_at: datetime | None,
    filters: tuple[str, ...],
    with_rows: bool,
    as_json: bool,
) -> None:
    """Compute the figure CODE, e.g. projects.completion_rate."""
    if code not in FIGURES:
        raise Refused(f"{code}? {', '.join(sorted(FIGURES))}")
    query = query_of(scope, as_of, known_at, filters)
    with open_scope(query.org_ids):
        try:
            document = figure_document(code, query, scope)
        except KeyError as error:
            raise Refused(str(error.args[0])) from None
        if with_rows:
            _figure, facts = rows(code, query)
            document["rows"] = [
                {
                    "label": row.view.label,
                    "url": row.view.url,
                    "numerator": row.numerator,
                    "denominator": row.denominator,
                    **row.view.columns,
                }
                for row in facts or ()
            ]
    if as_json:
        print_json(document)
        return
    click.echo(f"{document['name']}: {document['display']}")
    for row in document.get("rows", ()):
        click.echo(f"  {row['label']}\t{number(row['numerator'])}\t{number(row['denominator'])}")


@click.command()
@command
def figures(as_json: bool) -> None:
    """List all figures with their definitions."""
    if as_json:
        print_json([definition_document(f) for _code, f in sorted(FIGURES.items())])
        return
    for code, f in sorted(FIGURES.items()):
        click.echo(f"{code}\t{f.name}\t{f.definition}")
