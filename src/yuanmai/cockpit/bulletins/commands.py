"""``yuanmai bulletin month|quarter|year``."""

from datetime import datetime, time
from pathlib import Path

import click
from django.utils import timezone
from django.utils.translation import gettext as _

from yuanmai.cockpit.bulletins.build import NotYet, build
from yuanmai.cockpit.bulletins.period import EXAMPLES, KINDS, parse
from yuanmai.cockpit.bulletins.text_of import digest
from yuanmai.core.console import Refused, command, print_json
from yuanmai.core.documents import to_pdf, to_word
from yuanmai.core.scope import open_scope
from yuanmai.people.actor import subtree_ids
from yuanmai.people.models import Organisation

MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"])


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--scope", required=True, help="Code of the organisation; everything below it is included.")
@click.option("--period", required=True, help="2022-03, 2022Q1 or 2022.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="FILE.docx or FILE.pdf"
)
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day it speaks of; the period's last by default."
)
@click.option("--known-at", type=MOMENT, help="By the knowledge of that moment.")
@command
def bulletin(
    kind: str,
    scope: str,
    period: str,
    out: Path,
    language: str,
    as_of: datetime | None,
    known_at: datetime | None,
    as_json: bool,
) -> None:
    """Write the bulletin of a month, quarter or year as Word or PDF."""
    extension = out.suffix.lower().lstrip(".")
    if extension not in ("docx", "pdf"):
        raise Refused(_("--out %(file)s: the file must end in .docx or .pdf") % {"file": out})
    try:
        parsed = parse(kind, period)
    except ValueError:
        raise Refused(
            _("--period %(period)s: write it like %(example)s")
            % {"period": period, "example": EXAMPLES[kind]}
        ) from None
    org = Organisation.objects.filter(code=scope).first()
    if org is None:
        raise Refused(_("--scope %(scope)s: there is no organisation with this code") % {"scope": scope})
    if known_at is not None:
        if known_at.time() == time(0):
            known_at = datetime.combine(known_at.date(), time.max)
        known_at = timezone.make_aware(known_at)
    ids = tuple(sorted(subtree_ids([org.path])[org.path]))
    with open_scope(ids):
        try:
            made = build(
                org, ids, parsed, language=language, as_of=as_of.date() if as_of else None, known_at=known_at
            )
        except NotYet:
            raise Refused(_("The period has not begun yet.")) from None
    content = to_word(made.document) if extension == "docx" else to_pdf(made.document)
    try:
        out.write_bytes(content)
    except OSError as error:
        raise Refused(f"{out}: {error.strerror}") from None
    if as_json:
        print_json(
            {
                "file": str(out),
                "title": made.document.title,
                "as_of": made.query.as_of,
                "known_at": made.query.known_at,
                "figures": made.facts.codes,
                "text_sha256": digest(made.document),
            }
        )
        return
    click.echo(f"{made.document.title} → {out}")
