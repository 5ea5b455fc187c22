"""The verb of bulletins: issue. What is issued is frozen with everything needed to make it again."""

import hashlib
import uuid
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from yuanmai.cockpit import permissions
from yuanmai.cockpit.bulletins.build import Made, NotYet, build
from yuanmai.cockpit.bulletins.compose import Head
from yuanmai.cockpit.bulletins.period import Period, parse
from yuanmai.cockpit.bulletins.text_of import digest, plain
from yuanmai.cockpit.models import Bulletin
from yuanmai.core.actions import Act, action
from yuanmai.core.documents import check_docx, to_pdf, to_word
from yuanmai.people.models import Organisation


@action("cockpit.issue_bulletin", permission=permissions.ISSUE_BULLETINS)
def issue_bulletin(
    act: Act,
    org: Organisation,
    org_ids: tuple[int, ...],
    period: Period,
    *,
    language: str = "zh",
    head: Head | None = None,
    with_funds: bool = True,
) -> Bulletin:
    """Make the bulletin by present knowledge, check its layout, and keep it with its files and figures.

    Raises `ValidationError` for a period that has not begun.
    """
    act.require(org.pk)
    head = head or Head()
    if head.signed_on is None:
        head = replace(head, signed_on=org.default_as_of or timezone.localdate(act.now))
    try:
        made = build(
            org, org_ids, period, language=language, known_at=act.now, head=head, with_funds=with_funds
        )
    except NotYet:
        raise ValidationError(_("The period has not begun yet.")) from None
    word = to_word(made.document)
    if deviations := check_docx(word):
        raise RuntimeError(f"the bulletin leaves the layout of GB/T 9704: {deviations}")
    pdf = to_pdf(made.document)
    bulletin = Bulletin.objects.create(
        org=org,
        uid=uuid.uuid4(),
        kind=period.kind,
        period=period.text,
        language=language,
        title=made.document.title,
        head=head_values(head),
        org_ids=list(org_ids),
        with_funds=with_funds,
        as_of=made.query.as_of,
        known_at=act.now,
        figures=made.facts.codes,
        text=plain(made.document),
        text_digest=digest(made.document),
        word=word,
        word_digest=hashlib.sha256(word).hexdigest(),
        pdf=pdf,
        pdf_digest=hashlib.sha256(pdf).hexdigest(),
        issued_at=act.now,
        issued_by_id=act.actor.user_id,
    )
    act.log(
        bulletin,
        after={
            "title": bulletin.title,
            "as_of": bulletin.as_of,
            "known_at": bulletin.known_at,
            "figures": bulletin.figures,
            "word_sha256": bulletin.word_digest,
            "pdf_sha256": bulletin.pdf_digest,
        },
    )
    return bulletin


def head_values(head: Head) -> dict[str, Any]:
    """Return a head as JSON."""
    values = asdict(head)
    values["signed_on"] = head.signed_on.isoformat() if head.signed_on else None
    values["copies_to"] = list(head.copies_to)
    return values


def head_of(values: dict[str, Any]) -> Head:
    """Return the head that :func:`head_values` wrote."""
    signed = values.get("signed_on")
    return Head(
        **{
            **values,
            "signed_on": date.fromisoformat(signed) if signed else None,
            "copies_to": tuple(values.get("copies_to", ())),
        }
    )


def again(bulletin: Bulletin) -> Made:
    """Make an issued bulletin once more from the ledger, as of its day and as known at its moment."""
    return build(
        bulletin.org,
        tuple(bulletin.org_ids),
        parse(bulletin.kind, bulletin.period),
        language=bulletin.language,
        as_of=bulletin.as_of,
        known_at=bulletin.known_at,
        head=head_of(bulletin.head),
        with_funds=bulletin.with_funds,
    )
