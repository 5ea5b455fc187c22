"""Bitemporal timelines: every question "as of, as known at" has exactly one answer, and the past of knowledge stays."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from yuanmai.core.engine.temporal import FOREVER, Span, revise, spans

START = date(2022, 1, 1)
days = st.integers(0, 30).map(lambda n: START + timedelta(days=n))
# Facts: from a day on, this holds (None: nothing does).
timelines = st.dictionaries(days, st.none() | st.integers(0, 3), max_size=8)


def holds(facts: dict[date, int | None], day: date) -> int | None:
    earlier = [d for d in facts if d <= day]
    return facts[max(earlier)] if earlier else None


def built(facts: dict[date, int | None]) -> list[Span[int]]:
    return spans(facts, lambda day: holds(facts, day))


def at(timeline: list[Span[int]], day: date) -> list[int]:
    return [s.payload for s in timeline if s.effective_from <= day < s.effective_until]


@given(timelines, days)
def test_every_day_has_the_answer_of_the_facts_and_only_one(facts: dict[date, int | None], day: date) -> None:
    wanted = holds(facts, day)
    assert at(built(facts), day) == ([] if wanted is None else [wanted])


@given(timelines)
def test_spans_are_ordered_without_overlap_and_as_few_as_possible(facts: dict[date, int | None]) -> None:
    timeline = built(facts)
    for one, two in itertools.pairwise(timeline):
        assert one.effective_from < one.effective_until <= two.effective_from
        assert not (one.effective_until == two.effective_from and one.payload == two.payload)
    assert all(s.effective_until <= FOREVER for s in timeline)


@given(timelines, timelines)
def test_a_revision_leads_to_what_is_wanted_and_touches_nothing_else(
    before: dict[date, int | None], after: dict[date, int | None]
) -> None:
    stored, wanted = built(before), built(after)
    revision = revise(stored, wanted)
    kept = [span for index, span in enumerate(stored) if index not in revision.close]
    assert sorted([*kept, *revision.add], key=lambda s: s.effective_from) == wanted
    assert not {*revision.add} & {*kept}
    assert all(span not in wanted for index, span in enumerate(stored) if index in revision.close)
    assert revise(wanted, wanted).empty


@dataclass
class Row:
    """A stored span with the moments between which it was believed."""

    span: Span[int]
    known_from: int
    known_until: float


@given(st.lists(timelines, min_size=1, max_size=6), days, st.integers(0, 6))
def test_what_was_known_at_a_moment_never_changes(
    history: list[dict[date, int | None]], day: date, moment: int
) -> None:
    """Knowledge changes several times; afterwards each earlier moment still answers as it did then."""
    rows: list[Row] = []
    for now, facts in enumerate(history):
        current = [row for row in rows if row.known_until == float("inf")]
        revision = revise([row.span for row in current], built(facts))
        for index in revision.close:
            current[index].known_until = now
        rows += [Row(span, now, float("inf")) for span in revision.add]
    known = [row.span for row in rows if row.known_from <= moment < row.known_until]
    facts = history[min(moment, len(history) - 1)]
    wanted = holds(facts, day)
    assert at(known, day) == ([] if wanted is None else [wanted])
