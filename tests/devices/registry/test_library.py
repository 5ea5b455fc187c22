"""The library of templates declares itself: names in both languages, known units, well-formed addresses, no doubled codes."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from tests.conftest import Orgs
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.devices.engine.addresses import CODE, address_fits
from yuanmai.devices.engine.states import state_word
from yuanmai.devices.engine.units import UNITS
from yuanmai.devices.models import ProductTemplate, Protocol, TemplatePoint
from yuanmai.devices.registry import actions
from yuanmai.devices.registry.actions.checking import POINT_FIELDS
from yuanmai.devices.registry.forms import TemplateForm
from yuanmai.devices.registry.presets import FOLDER, Preset, library
from yuanmai.protocols.hj212.factors import factors

HAN = re.compile(r"[\u4e00-\u9fff]")
PRESETS = list(library().values())
WANTED = {
    "hj212-wastewater", "hj212-fluegas", "hj212-voc", "hj212-noise", "hj212-dust", "jt808-vehicle", "jt808-hazmat",
    "dlt645-three-phase", "modbus-power-meter", "cjt188-water", "cjt188-gas", "cjt188-heat", "mqtt-street-lamp",
    "mqtt-environment", "mqtt-gate", "sparkplug-node", "http-generic",
}  # fmt: skip


def test_the_library_has_a_template_for_every_protocol() -> None:
    assert {preset.code for preset in PRESETS} >= WANTED
    assert {preset.protocol for preset in PRESETS} == set(Protocol.values)


def test_every_file_is_one_template_with_its_own_code() -> None:
    codes = [yaml.safe_load(path.read_text("utf-8"))["code"] for path in sorted(FOLDER.glob("*.yaml"))]
    assert len(codes) == len(set(codes)) == len(PRESETS)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_file_says_whence_and_of_when_it_is_and_nothing_unknown(path: Path) -> None:
    told = yaml.safe_load(path.read_text("utf-8"))
    assert str(told["source"]).strip()
    assert isinstance(told["dated"], date)
    assert told["dated"] <= date(2026, 11, 22)
    known = {
        "source",
        "dated",
        "code",
        "name",
        "name_en",
        "protocol",
        "icon",
        "silence_after",
        "mobile",
        "profile",
        "points",
    }
    assert set(told) <= known
    for point in told["points"]:
        assert set(point) <= set(POINT_FIELDS), point["code"]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.code)
def test_a_template_declares_itself(preset: Preset) -> None:
    assert CODE.fullmatch(preset.code)
    assert HAN.search(preset.name)
    assert preset.name_en
    assert not HAN.search(preset.name_en)
    assert preset.icon in TemplateForm.ICONS
    assert 10 <= preset.profile["silence_after"] <= 86_400
    codes = [point["code"] for point in preset.points]
    addresses = [point["address"] for point in preset.points]
    assert codes
    assert len(codes) == len(set(codes))
    assert len(addresses) == len(set(addresses))


@pytest.mark.parametrize(
    ("preset", "point"),
    [(p, point) for p in PRESETS for point in p.points],
    ids=lambda value: value.code if isinstance(value, Preset) else value["code"],
)
def test_a_point_declares_itself(preset: Preset, point: dict[str, object]) -> None:
    assert CODE.fullmatch(str(point["code"]))
    assert HAN.search(str(point["name"])) or str(point["name"]).startswith("p")
    assert point["name_en"]
    assert not HAN.search(str(point["name_en"]))
    assert str(point.get("unit", "")) in UNITS
    assert address_fits(preset.protocol, str(point["address"]))
    low, high = point.get("low"), point.get("high")
    if low is not None and high is not None:
        assert low < high  # type: ignore[operator]
    states = point.get("states")
    assert (point.get("kind") == "state") == bool(states)
    for number, name in (states or {}).items():  # type: ignore[attr-defined]
        assert int(number) >= 0
        assert HAN.search(state_word({number: name}, float(number)))
        assert not HAN.search(state_word({number: name}, float(number), english=True))


@pytest.mark.parametrize(
    "preset", [p for p in PRESETS if p.protocol == "hj212"], ids=lambda preset: preset.code
)
def test_stations_measure_factors_of_the_standard(preset: Preset) -> None:
    unknown = [p["address"] for p in preset.points if str(p["address"]).rpartition("-")[0] not in factors()]
    assert unknown == []


def test_the_library_is_loaded_once_and_never_over_what_was_edited(orgs: Orgs) -> None:
    with everywhere():
        assert actions.load_templates(SYSTEM, orgs.province.pk) == len(PRESETS)
        lamp = ProductTemplate.objects.get(code="mqtt-street-lamp")
        ProductTemplate.objects.filter(pk=lamp.pk).update(name="改过的灯")
        assert actions.load_templates(SYSTEM, orgs.province.pk) == 0
        lamp.refresh_from_db()
        assert lamp.name == "改过的灯"
        assert TemplatePoint.objects.filter(template=lamp).count() == len(
            library()["mqtt-street-lamp"].points
        )
        assert lamp.points.get(code="brightness").writable
        assert lamp.source.startswith("OASIS")
