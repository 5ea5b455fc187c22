"""One import from bytes to committed rows: what the command line, jobs and benchmarks call."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.apps import apps
from django.utils.translation import gettext as _

from yuanmai.core.console import Refused
from yuanmai.core.findings import KINDS as FINDING_KINDS
from yuanmai.core.findings import Found
from yuanmai.core.policy import Actor
from yuanmai.core.workbooks.engine.book import read_book
from yuanmai.core.workbooks.engine.pipeline import most_hits
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.kinds import KINDS, Plan, Progress, checked
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.core.workbooks.running import Options, read_file, remembered


def org_of(code: str | None) -> int:
    """Id of the organisation with a code; without one, the only organisation there is. Raises Refused."""
    orgs = apps.get_model("people", "Organisation").objects.order_by("path").values_list("id", "code")
    if code is None:
        found = list(orgs[:2])
        if len(found) == 1:
            return int(found[0][0])
        raise Refused(
            _("Say which organisation the file belongs to: --scope CODE. Known: %(codes)s")
            % {"codes": _codes(orgs)}
        )
    for pk, known in orgs.filter(code=code):
        if known == code:
            return int(pk)
    raise Refused(
        _("There is no organisation “%(code)s”. Known: %(codes)s") % {"code": code, "codes": _codes(orgs)}
    )


def _codes(orgs: Any) -> str:
    return ", ".join(code for _pk, code in orgs[:20]) or "–"


def recognise(data: bytes, name: str, kinds: Sequence[str] | None = None) -> str:
    """Code of the kind whose words the heads of a workbook use most; the first of all where none fits.

    `kinds` are the kinds to choose from. Raises BookError for a file that cannot be read at all.
    """
    codes = list(KINDS) if kinds is None else [code for code in KINDS if code in kinds]
    book = read_book(data, name)
    hits = {code: most_hits(book, KINDS[code].spec) for code in codes}
    return max(codes, key=lambda code: (hits[code], -codes.index(code)))


def import_data(
    actor: Actor,
    kind_code: str,
    org_id: int,
    data: bytes,
    name: str,
    options: Options,
    today: date,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Parsed | dict[str, Any]:
    """Take over a workbook. Returns its JSON document, or, when it has faults, the reading with all of them.

    Raises BookError for a file that cannot be read at all. Nothing is stored of a file with faults.
    """
    kind = KINDS[kind_code]
    parsed = checked(kind, read_file(data, name, kind.spec, remembered(org_id, kind_code), options), org_id)
    if parsed.errors:
        return parsed
    if dry_run:
        return document(parsed, kind.compare(parsed, org_id, today), None)
    batch = kind.preview(actor, org_id=org_id, data=data, file_name=name, options=options.as_json())
    plan = kind.commit(actor, batch, parsed, progress)
    return document(parsed, plan, batch.pk)


def undo_batch(actor: Actor, pk: int) -> Mapping[str, Any]:
    """Take an import back. Raises Refused for an unknown one, ValidationError with the reason where it cannot be."""
    batch = ImportBatch.objects.filter(pk=pk).first()
    if batch is None:
        raise Refused(_("There is no import #%(number)s.") % {"number": pk})
    return KINDS[batch.kind].undo(actor, batch)


def document(parsed: Parsed, plan: Plan, batch: int | None) -> dict[str, Any]:
    """What an import says about itself."""
    return {
        "batch": batch,
        "kind": parsed.kind,
        "sheet": parsed.sheet,
        "as_of": plan.effective_on.isoformat() if plan.effective_on else None,
        "as_of_assumed": plan.assumed,
        "created": plan.count("created"),
        "updated": plan.count("updated"),
        "unchanged": plan.count("unchanged"),
        "findings": [finding_document(found) for found in plan.found],
        "errors": [],
    }


def finding_document(found: Found) -> dict[str, Any]:
    """A contradiction in the same words as on its page."""
    kind = FINDING_KINDS.get(found.kind)
    params = found.params
    return {
        "kind": found.kind,
        "sheet": params.get("sheet", ""),
        "cell": params.get("cell", ""),
        "column": params.get("column", ""),
        "field": params.get("field", ""),
        "label": params.get("label", ""),
        "stated": params.get("stated") or params.get("value"),
        "computed": params.get("computed"),
        "rule": params.get("rule") or f"total.{params.get('what', '')}",
        "severity": found.severity,
        "message": kind.sentence(params) if kind else found.kind,
    }
