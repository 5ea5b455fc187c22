"""What the rooms declare is complete: presets have sources, figures have definitions, tables have migrations."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from django.utils import translation

from tests.house.files import having, text
from yuanmai.core.actions import ACTIONS
from yuanmai.core.figures import FIGURES, Derived, Facts
from yuanmai.core.policy import PERMISSIONS

HAN = range(0x4E00, 0xA000)
# Actions whose first word is not their room's: what they change shall not look like a change of the register of devices.
ROOMS_OF = {"alarms": "devices", "rules": "devices", "commands": "devices"}


def in_chinese(message: object) -> str:
    with translation.override("zh-hans"):
        return str(message)


def in_english(message: object) -> str:
    with translation.override("en"):
        return str(message)


def is_chinese(words: str) -> bool:
    return any(ord(letter) in HAN for letter in words)


@pytest.mark.parametrize("path", [p for p in having(".yaml", under="src/") if "presets" in p.parts], ids=str)
def test_every_preset_states_its_source(path: Path) -> None:
    document = yaml.safe_load(text(path))
    assert isinstance(document, dict), "a preset is a mapping with `source` beside its entries"
    assert str(document.get("source", "")).strip(), (
        "say where it comes from: a standard, a notice, the project itself"
    )


def test_there_are_figures() -> None:
    """Guards the tests below against an empty registry."""
    expected = {
        "projects.count",
        "projects.total_investment",
        "projects.planned_investment",
        "projects.investment_done",
        "projects.completion_rate",
        "projects.start_rate",
        "projects.resumption_rate",
        "projects.time_progress",
        "projects.ahead_points",
        "projects.over_1bn_count",
        "funds.secured",
        "funds.gap",
    }
    assert expected <= set(FIGURES)


@pytest.mark.parametrize("code", sorted(FIGURES))
def test_every_figure_says_what_it_is_in_both_languages(code: str) -> None:
    figure = FIGURES[code]
    for words in (figure.name, figure.definition, figure.source, figure.grain):
        assert in_english(words).strip()
        assert not is_chinese(in_english(words)), "message ids are English"
        assert is_chinese(in_chinese(words)), f"no Chinese for {in_english(words)!r}"
    assert figure.permission in PERMISSIONS


@pytest.mark.parametrize("code", sorted(FIGURES))
def test_every_figure_stands_in_its_room_and_can_be_opened(code: str) -> None:
    figure = FIGURES[code]
    assert code.startswith(f"{figure.room}.")
    dimensions = [dimension.code for dimension in figure.dimensions]
    assert len(dimensions) == len(set(dimensions))
    assert all(is_chinese(in_chinese(dimension.name)) for dimension in figure.dimensions)
    if isinstance(figure, Derived):
        assert set(figure.inputs) <= set(FIGURES)
        assert isinstance(FIGURES[figure.rows_of], Facts), (
            "a derived figure opens to the rows of one that has rows"
        )


def test_every_action_has_a_declared_permission_and_stands_in_its_room() -> None:
    assert ACTIONS
    assert {a.code: a.permission for a in ACTIONS.values() if a.permission not in PERMISSIONS} == {}
    misplaced = {
        a.code: a.function.__module__
        for a in ACTIONS.values()
        # Tests declare actions of their own, all of them under one word.
        if not a.code.startswith("test.")
        and not a.function.__module__.startswith(
            f"yuanmai.{ROOMS_OF.get(a.code.split('.')[0], a.code.split('.')[0])}."
        )
    }
    assert misplaced == {}


def test_every_permission_has_a_name_in_both_languages() -> None:
    assert [code for code, p in PERMISSIONS.items() if not is_chinese(in_chinese(p.name))] == []
    assert [code for code, p in PERMISSIONS.items() if is_chinese(in_english(p.name))] == []


@pytest.mark.django_db
def test_the_migrations_describe_the_models() -> None:
    output = io.StringIO()
    try:
        call_command("makemigrations", check=True, dry_run=True, stdout=output)
    except SystemExit:
        pytest.fail(f"run makemigrations:\n{output.getvalue()}")
