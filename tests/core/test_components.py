"""The components of the web kit: safe against what is in the data, honest about what is not there."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import engines
from django.test import RequestFactory
from django.utils import translation
from django_cotton.compiler_regex import CottonCompiler

from yuanmai.core.templatetags import ui
from yuanmai.core.templatetags.ui_strings import STRINGS

ROOT = Path(__file__).resolve().parents[2]
Render = Callable[..., str]


@pytest.fixture
def render(rf: RequestFactory) -> Render:
    """Render template text with components, in English."""

    def run(text: str, path: str = "/list/", **context: Any) -> str:
        template = engines["django"].from_string(CottonCompiler().process("{% load i18n ui %}" + text))
        with translation.override("en"):
            return str(template.render(context, request=None if path is None else rf.get(path)))

    return run


def test_json_in_a_page_cannot_leave_its_element() -> None:
    block = ui.json_block({"name": "</script><script>alert(1)</script>", "amount": Decimal("1.50")})
    assert "<" not in block and ">" not in block
    assert '"amount": 1.5' in block


def test_text_in_components_is_escaped(render: Render) -> None:
    html = render('<c-card title="{{ name }}"><c-badge>{{ name }}</c-badge></c-card>', name="<b>&</b>")
    assert "<b>&" not in html
    assert html.count("&lt;b&gt;&amp;&lt;/b&gt;") == 2


def test_a_light_has_a_word_and_another_shape_for_each_colour(render: Render) -> None:
    shapes = set()
    for value, word in (
        ("green", "Normal"),
        ("yellow", "Attention"),
        ("red", "Alert"),
        ("grey", "No data"),
        ("?", "No data"),
    ):
        html = render('<c-light value="{{ v }}" />', v=value)
        assert word in html
        shapes.add(re.search(r"#([\w-]+)", html).group(1))  # type: ignore[union-attr]
    assert len(shapes) == 4


@pytest.mark.parametrize(
    ("value", "most", "width"),
    [(Decimal("0.25"), 1, 25.0), (3, 2, 100.0), (-1, 1, 0), (None, 1, None), ("x", 1, None)],
)
def test_a_bar_stays_inside_its_frame(value: Any, most: Any, width: float | None) -> None:
    assert ui.meter(value, most)["width"] == width


def test_an_unknown_bar_is_a_dash(render: Render) -> None:
    assert "–" in render("<c-progress text='–' />")


def test_money_is_rounded_half_up_and_keeps_the_yuan(render: Render) -> None:
    html = render('<c-money :value="v" unit="wan bare" />', v=Decimal("1250.00"))
    assert ">0.13</span>" in html and "1,250.00" in html
    assert "7.55" in render('<c-money :value="v" unit="auto" />', v=Decimal("755000000"))
    assert "–" in render('<c-money :value="v" />', v=None)


def test_no_component_writes_a_style_or_a_script(render: Render) -> None:
    """The policy of the pages would block it silently."""
    folder = ROOT / "src/yuanmai"
    faults = [
        f"{path.relative_to(ROOT)}: {found}"
        for path in folder.rglob("templates/**/*.html")
        for found in re.findall(
            r"""\sstyle=["']|<script>|\son\w+=["']|javascript:|hx-on|hx-vals=['"]js:""", path.read_text()
        )
    ]
    assert faults == []


def test_a_form_field_ties_help_and_errors_to_its_input(render: Render) -> None:
    class Sample(forms.Form):
        name = forms.CharField(label="Name", help_text="As approved")
        lists = forms.MultipleChoiceField(
            choices=[("a", "A")], widget=forms.CheckboxSelectMultiple, required=False
        )

    html = render("<c-form :form='form' />", form=Sample({"name": ""}))
    described = re.search(r'aria-describedby="([^"]+)"', html)
    assert described is not None
    for part in described.group(1).split():
        assert f'id="{part}"' in html
    assert 'aria-invalid="true"' in html and "This field is required." in html
    assert "<fieldset>" in html and "csrfmiddlewaretoken" in html


def test_pages_keep_the_query_of_the_address(render: Render) -> None:
    html = render(
        '<c-pagination :page="page" />', "/list/?q=a&sort=name&page=2", page=Paginator(range(500), 50).page(2)
    )
    assert "51–100 of 500" in html
    assert "?q=a&amp;sort=name&amp;page=3" in html
    assert html.count('aria-current="page"') == 1


def test_filters_keep_columns_and_order(render: Render) -> None:
    class Bar(forms.Form):
        q = forms.CharField(required=False)

    html = render(
        '<c-data-list :filter_form="form" :count="3">x</c-data-list>',
        "/list/?cols=a&cols=b&sort=-name&page=4",
        form=Bar({}),
    )
    assert re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', html) == [
        ("cols", "a"),
        ("cols", "b"),
        ("sort", "-name"),
    ]
    assert "3 rows" in html


def test_the_table_behind_a_chart_says_the_same() -> None:
    chart = {
        "type": "bar", "categories": ["Jan", "Feb"], "axis": "Month", "unit": "km", "urls": ["/a", None],
        "series": [{"name": "Planned", "data": [Decimal("1234.567"), 2]}, {"name": "Done", "data": [None]}],
    }  # fmt: skip
    table = ui.chart_table(chart)
    assert table["head"] == ["Month", "Planned (km)", "Done (km)"]
    assert [row["cells"] for row in table["rows"]] == [["1,234.57", "–"], ["2", ""]]
    assert [row["url"] for row in table["rows"]] == ["/a", None]


def test_percentages_in_the_table_are_percentages() -> None:
    chart = {"categories": ["a"], "series": [{"name": "Rate", "axis": "percent", "data": [0.2500]}]}
    assert ui.chart_table(chart)["rows"][0]["cells"] == ["25 %"]
    assert ui.chart_table({**chart, "percent": True})["head"][1] == "Rate"


def test_undo_is_read_from_a_message() -> None:
    assert ui.undo_url("undo=/jobs/3/undo/ big") == "/jobs/3/undo/"
    assert ui.undo_url("") == "" and ui.undo_url(None) == ""


def test_every_word_the_islands_ask_for_is_there() -> None:
    """A key that is missing would show itself to the user."""
    asked: set[str] = set()
    for path in (ROOT / "frontend/src").rglob("*.ts"):
        if path.name.endswith(".test.ts"):
            continue
        source = path.read_text()
        asked |= set(re.findall(r"""\bt\(\s*["']([\w.]+)["']""", source))
        asked |= set(re.findall(r"""["']((?:sheet|map|chart|job|drop|palette|list)\.\w+)["']""", source))
    assert asked, "the pattern finds nothing any more"
    assert asked - set(STRINGS) == set()
    for state in ("waiting", "running", "done", "failed", "cancelled"):
        assert f"job.{state}" in STRINGS


def test_every_icon_named_in_a_template_is_in_the_sprite() -> None:
    sprite = set(
        re.search(r"const names = `(.*?)`", (ROOT / "frontend/scripts/icons.mjs").read_text(), re.S)
        .group(1)
        .split()
    )  # type: ignore[union-attr]
    missing = set()
    for path in (ROOT / "src/yuanmai").rglob("templates/**/*.html"):
        for name in re.findall(r"""\{% icon ["']([\w-]+)["']""", path.read_text()):
            if name not in sprite:
                missing.add(f"{path.name}: {name}")
        for name in re.findall(
            r"""<c-[\w-]+[^>]*?\s(?:icon|action_icon|submit_icon)="([\w-]+)\"""", path.read_text()
        ):
            if name not in sprite:
                missing.add(f"{path.name}: {name}")
    for path in (ROOT / "src/yuanmai").rglob("*.py"):
        for name in re.findall(r"""icon["']?\s*[=:]\s*["']([a-z][\w-]+)["']""", path.read_text()):
            if name not in sprite:
                missing.add(f"{path.name}: {name}")
    assert missing == set()
