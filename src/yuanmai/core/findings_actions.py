"""The verbs around findings: recording what was found, and answering for it."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.findings import Finding, Found
from yuanmai.core.permissions import ANSWER_FINDINGS
from yuanmai.core.policy import Actor, Denied
from yuanmai.core.temporal import KNOWN_FOREVER

NOTE_MAX = 2000


def store_findings(
    act: Act, org_id: int, found: Iterable[Found], effective_on: date, *, batch: Any = None
) -> list[Finding]:
    """Store contradictions inside an action that logs; one that is known already is brought up to date, not doubled.

    A finding that had gone, or been resolved, opens again when it is found again with other values.
    """
    wanted = {(item.kind, item.key): item for item in found}
    known = {
        (row.kind, row.key): row
        for row in Finding.objects.filter(org_id=org_id, kind__in={kind for kind, _key in wanted})
    }
    stored = []
    for identity, item in wanted.items():
        params, evidence = dict(item.params), [dict(line) for line in item.evidence]
        row = known.get(identity)
        if row is None:
            row = Finding(org_id=org_id, kind=item.kind, key=item.key, found_at=act.now)
        elif row.state != Finding.State.OPEN and (row.params != params or row.gone_until != KNOWN_FOREVER):
            row.state = Finding.State.OPEN
        row.params, row.evidence, row.severity = params, evidence, item.severity
        row.effective_on, row.gone_until = effective_on, KNOWN_FOREVER
        row.batch = batch if batch is not None else row.batch
        row.save()
        stored.append(row)
    return stored


def _note(text: str, *, needed: bool) -> str:
    text = text.strip()
    if needed and not text:
        raise ValidationError({"note": _("Say why: the next person who opens this finding reads it here.")})
    if len(text) > NOTE_MAX:
        raise ValidationError({"note": _("At most %(n)s characters.") % {"n": NOTE_MAX}})
    return text


def _change(act: Act, finding: Finding, **values: Any) -> None:
    """Set fields of a finding and log what changed."""
    act.require(finding.org_id)
    before = {name: getattr(finding, name) for name in values}
    for name, value in values.items():
        setattr(finding, name, value)
    finding.save(update_fields=list(values))
    act.log(finding, before=before, after=values, name=finding.sentence)


def _must_be(finding: Finding, *states: str) -> None:
    if finding.state not in states:
        raise ValidationError(
            _("This finding is already “%(state)s”.") % {"state": finding.get_state_display()}
        )


@action("core.assign_finding", permission=ANSWER_FINDINGS)
def assign_finding(act: Act, finding: Finding, owner: Actor) -> None:
    """Make somebody answer for a finding; it must be someone who may answer findings of that organisation."""
    if owner.user_id is None or owner.why_not(ANSWER_FINDINGS, finding.org_id):
        raise Denied(_("%(name)s may not answer findings of this organisation.") % {"name": owner.name})
    _change(act, finding, owner_id=owner.user_id)


@action("core.explain_finding", permission=ANSWER_FINDINGS)
def explain_finding(act: Act, finding: Finding, note: str) -> None:
    """Say why the contradiction is there and stays; it no longer counts as open."""
    _must_be(finding, Finding.State.OPEN)
    _change(act, finding, state=Finding.State.EXPLAINED, note=_note(note, needed=True))


@action("core.resolve_finding", permission=ANSWER_FINDINGS)
def resolve_finding(act: Act, finding: Finding, note: str = "") -> None:
    """Say that the data were put right."""
    _must_be(finding, Finding.State.OPEN, Finding.State.EXPLAINED)
    _change(act, finding, state=Finding.State.RESOLVED, note=_note(note, needed=False) or finding.note)


@action("core.reopen_finding", permission=ANSWER_FINDINGS)
def reopen_finding(act: Act, finding: Finding, note: str = "") -> None:
    """Take an answer back."""
    _must_be(finding, Finding.State.EXPLAINED, Finding.State.RESOLVED)
    _change(act, finding, state=Finding.State.OPEN, note=_note(note, needed=False) or finding.note)
