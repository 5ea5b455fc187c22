"""The gates of a review as worked cases and as properties; the weighted score; readiness."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuanmai.funds.engine.review import Application, gates, readiness, stopped, weighted

WAN = Decimal(10_000)
CHECKLIST = {
    "approval": {"group": "permits", "weight": "10", "needed": "review"},
    "land": {"group": "land", "weight": "30", "needed": "approval"},
    "legal_opinion": {"group": "offering", "weight": "60", "needed": "review", "file": True},
}
RULES: dict[str, Any] = {
    "fields": {
        "railway": {"capital": "any"},
        "park_infrastructure": {"capital": "park", "levels": ["national", "provincial"]},
        "education": {},
        "office_building": {"negative": True},
    },
    "minimum_capital": {
        "infrastructure": Decimal("0.20"),
        "airport": Decimal("0.25"),
        "port": Decimal("0.20"),
    },
    "gap_closing_relief": Decimal("0.05"),
    "capital_share_cap": Decimal("0.30"),
    "permitted_terms": (10, 15, 20, 30),
    "coverage_threshold": Decimal("1.1"),
    "coverage_all_debt": Decimal("1.2"),
    "coverage_upper": Decimal("2.2"),
    "checklist": CHECKLIST,
}
GOOD = Application(
    field="park_infrastructure", sector="infrastructure", park_level="provincial", gap_closing=False,
    total_investment=WAN * 10_000, capital=WAN * 2000, bonds=WAN * 8000, bonds_as_capital=Decimal(0), other_debt=Decimal(0),
    term_years=15, coverage=Decimal("1.26"), coverage_all_debt=Decimal("1.26"), has_loans=False, gap_years=(),
    failed_checks=(), items={"approval": "done", "land": "done", "legal_opinion": "done"},
    files=frozenset({"legal_opinion"}), uses=WAN * 8000, current_uses=Decimal(0), place_bonds=WAN * 100_000,
    place_bonds_as_capital=Decimal(0),
)  # fmt: skip


def failed(**more: Any) -> set[str]:
    return {gate.code for gate in gates(replace(GOOD, **more), RULES) if not gate.passed}


def test_a_good_application_passes_everything() -> None:
    assert failed() == set()


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ({"field": "office_building"}, {"negative_list"}),
        ({"field": "unheard"}, {"negative_list"}),
        # Bonds as capital: in parks from the provincial level on, in railways anywhere, in schools nowhere.
        ({"bonds_as_capital": WAN, "place_bonds_as_capital": WAN}, set()),
        ({"bonds_as_capital": WAN, "place_bonds_as_capital": WAN, "park_level": "municipal"}, {"positive_list"}),
        ({"bonds_as_capital": WAN, "place_bonds_as_capital": WAN, "park_level": ""}, {"positive_list"}),
        ({"bonds_as_capital": WAN, "place_bonds_as_capital": WAN, "field": "railway", "park_level": ""}, set()),
        ({"bonds_as_capital": WAN, "place_bonds_as_capital": WAN, "field": "education"}, {"positive_list"}),
        # Capital: 20 % exactly is enough, a cent less is not; 15 % where a gap is closed; airports 25 %.
        ({"capital": WAN * 2000 - Decimal("0.01")}, {"minimum_capital"}),
        ({"capital": WAN * 1500, "gap_closing": True}, set()),
        ({"capital": WAN * 1500 - Decimal("0.01"), "gap_closing": True}, {"minimum_capital"}),
        ({"sector": "airport"}, {"minimum_capital"}),
        ({"sector": "moon"}, {"minimum_capital"}),
        ({"total_investment": Decimal(0)}, {"minimum_capital"}),
        # The cap is the province's: 30 % exactly is kept; who uses none is not stopped by others.
        ({"bonds_as_capital": WAN, "place_bonds_as_capital": WAN * 30_000}, set()),
        ({"bonds_as_capital": WAN, "place_bonds_as_capital": WAN * 30_001}, {"capital_share_cap"}),
        ({"place_bonds_as_capital": WAN * 90_000}, set()),
        ({"term_years": 12}, {"term"}),
        ({"coverage": Decimal("1.1")}, set()),
        ({"coverage": Decimal("1.0999999")}, {"coverage"}),
        ({"coverage": None}, {"coverage"}),
        ({"coverage": Decimal("2.21")}, {"coverage_high"}),
        ({"has_loans": True, "coverage_all_debt": Decimal("1.19")}, {"coverage_all_debt"}),
        ({"has_loans": True, "coverage_all_debt": Decimal("1.2")}, set()),
        ({"items": {**GOOD.items, "approval": "missing"}}, {"checklist"}),
        ({"items": {**GOOD.items, "approval": "not_needed"}}, set()),
        ({"files": frozenset()}, {"checklist"}),
        ({"items": {**GOOD.items, "land": "under_way"}}, {"checklist_later"}),
        ({"failed_checks": ("sources_add_up",)}, {"identities"}),
        ({"failed_checks": ("coverage_at_least",)}, set()),  # has a gate of its own
        ({"uses": WAN * 7999}, {"named_uses"}),
        ({"current_uses": WAN}, {"named_uses"}),
        ({"gap_years": (2026, 2027)}, {"gap_years"}),
    ],
)  # fmt: skip
def test_each_gate_stops_what_it_is_for(more: dict[str, Any], codes: set[str]) -> None:
    assert failed(**more) == codes


def test_soft_gates_stop_nothing() -> None:
    found = gates(
        replace(GOOD, gap_years=(2030,), coverage=Decimal(9), items={"legal_opinion": "done"}), RULES
    )
    assert {gate.code for gate in stopped(found)} == {"checklist"}
    assert [gate.hard for gate in found] == sorted((gate.hard for gate in found), reverse=True)


amounts = st.decimals(0, 10**9, places=2)


@given(capital=amounts, total=st.decimals("0.01", 10**9, places=2), gap=st.booleans())
def test_more_capital_never_fails_where_less_passes(capital: Decimal, total: Decimal, gap: bool) -> None:
    def passes(amount: Decimal) -> bool:
        return "minimum_capital" not in failed(capital=amount, total_investment=total, gap_closing=gap)

    if passes(capital):
        assert passes(capital + 1)
    assert passes(total)


@given(value=st.decimals("0.01", 5, places=6))
def test_coverage_gate_is_monotone(value: Decimal) -> None:
    assert ("coverage" in failed(coverage=value)) == (value < Decimal("1.1"))


scores = st.dictionaries(st.sampled_from("abcdefgh"), st.decimals(0, 100, places=2))
weights = st.dictionaries(st.sampled_from("abcdefgh"), st.decimals(0, 100, places=1))


@given(scores, weights)
def test_the_weighted_score_lies_between_the_scores(given_scores: Any, given_weights: Any) -> None:
    value = weighted(given_scores, given_weights)
    counted = [given_scores[c] for c in given_scores if given_weights.get(c)]
    if not counted:
        assert value is None
    else:
        assert value is not None and min(counted) - Decimal("0.01") <= value <= max(counted) + Decimal("0.01")


def test_weighted_by_hand() -> None:
    marks = {"income": Decimal(90), "others": Decimal(60)}
    assert weighted(marks, {"income": Decimal(20), "others": Decimal(5)}) == Decimal("84.00")
    assert weighted({}, {"income": Decimal(1)}) is None


@pytest.mark.parametrize(
    ("items", "files", "share", "lines"),
    [
        ({}, (), Decimal(0), (0, 3)),
        ({"approval": "done"}, (), Decimal("0.1"), (1, 3)),
        ({"approval": "done", "legal_opinion": "done"}, (), Decimal("0.1"), (1, 3)),  # its file is missing
        ({"approval": "done", "legal_opinion": "done"}, ("legal_opinion",), Decimal("0.7"), (2, 3)),
        ({"approval": "done", "land": "not_needed"}, (), Decimal(10) / 70, (1, 2)),
        (dict.fromkeys(CHECKLIST, "not_needed"), (), None, (0, 0)),
    ],
)
def test_readiness_is_weighed(items: Any, files: Any, share: Decimal | None, lines: tuple[int, int]) -> None:
    found = readiness(items, frozenset(files), CHECKLIST)
    assert found.share == share and (found.lines_done, found.lines) == lines


def test_readiness_of_one_group() -> None:
    found = readiness({"land": "done"}, frozenset(), CHECKLIST, ("land",))
    assert (found.share, found.lines) == (1, 1)
