"""A bulletin from the ledger: facts and document for an organisation, a period and a moment of knowledge."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from django.utils import timezone

from yuanmai.cockpit.bulletins.compose import Head, compose
from yuanmai.cockpit.bulletins.facts import Facts
from yuanmai.cockpit.bulletins.gather import gather
from yuanmai.cockpit.bulletins.period import Period
from yuanmai.core.documents import Document
from yuanmai.core.figures import Query
from yuanmai.people.models import Organisation


class NotYet(ValueError):  # noqa: N818  (reads as what it says)
    """The period has not begun on the day asked for."""


@dataclass(frozen=True)
class Made:
    """A bulletin as made: the question it answers, what was found, and the document."""

    query: Query
    facts: Facts
    document: Document


def last_day(period: Period, today: date) -> date:
    """Return the day a bulletin speaks of: the period's last, or today in a period that runs.

    Raises :class:`NotYet` for a period that has not begun.
    """
    if period.start > today:
        raise NotYet(period.text)
    return min(period.end, today)


def today_of(org: Organisation) -> date:
    """Return today, or the day at which the pages of an archived or demonstration place open."""
    return org.default_as_of or timezone.localdate()


def build(
    org: Organisation,
    org_ids: tuple[int, ...],
    period: Period,
    *,
    language: str = "zh",
    as_of: date | None = None,
    known_at: datetime | None = None,
    head: Head | None = None,
    with_funds: bool = True,
) -> Made:
    """Make the bulletin of `org` and all below it (`org_ids`, whose scope must be open).

    `as_of` defaults to the period's last day (or today, if earlier), `known_at` to now. Raises :class:`NotYet`.
    """
    day = as_of or last_day(period, today_of(org))
    moment = known_at or timezone.now()
    query = Query(org_ids, day, known_at)
    name = org.name_en if language == "en" and org.name_en else org.name
    facts = gather(name, period, query, moment, language=language, with_funds=with_funds)
    head = head or Head()
    if head.signed_on is None:
        # An archived place is dated at its own day; anywhere else the document is of the day it was made.
        head = replace(head, signed_on=day if org.default_as_of else timezone.localdate(moment))
    return Made(query, facts, compose(facts, head, language))
