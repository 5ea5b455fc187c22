"""Rules to begin with: data of `presets/alarm_rules.yaml`, taken over one by one."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.utils.translation import get_language

from yuanmai.common.yaml_file import load_yaml
from yuanmai.core.policy import Actor
from yuanmai.core.scope import everywhere
from yuanmai.devices.models import AlarmRule, ProductTemplate
from yuanmai.devices.rules.actions import save_rule
from yuanmai.people.models import Organisation
from yuanmai.places.models import Park

FILE = Path(__file__).parent.parent / "presets" / "alarm_rules.yaml"
OUTLINE = "park"  # a shape that stands for the outline of a park


@dataclass(frozen=True)
class Preset:
    """A rule as it stands in the file."""

    code: str
    name: str
    name_en: str
    template: str
    severity: int
    source: str
    advice: str
    definition: Mapping[str, Any]
    park: bool = False

    @property
    def label(self) -> str:
        """The name in the active language."""
        return self.name_en if (get_language() or "").startswith("en") else self.name


@lru_cache(maxsize=1)
def presets() -> dict[str, Preset]:
    """Return the presets by code."""
    return {entry["code"]: Preset(**entry) for entry in load_yaml(FILE)["rules"]}


def filled(definition: Mapping[str, Any], shape: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a definition with the outline of a park put in where it is asked for."""

    def fill(part: Any) -> Any:
        if isinstance(part, dict):
            return {k: (shape if k == "shape" and v == OUTLINE else fill(v)) for k, v in part.items()}
        return [fill(value) for value in part] if isinstance(part, list) else part

    found: dict[str, Any] = fill(deepcopy(dict(definition)))
    return found


def templates_of(org: Organisation) -> dict[str, ProductTemplate]:
    """Return the templates that an organisation can use, by code: its own before those of above."""
    with everywhere():
        rows = list(ProductTemplate.objects.filter(retired_at=None).select_related("org"))
    usable = [row for row in rows if org.path.startswith(row.org.path) or row.org.path.startswith(org.path)]
    return {row.code: row for row in sorted(usable, key=lambda row: len(row.org.path))}


def take_over(actor: Actor, org: Organisation, codes: Iterable[str], park: Park | None) -> list[AlarmRule]:
    """Take presets over as rules of an organisation; those it has already, those without template and those without park stay out."""
    have = set(AlarmRule.objects.filter(org=org).values_list("code", flat=True))
    templates, made = templates_of(org), []
    for code in codes:
        preset = presets().get(code)
        if preset is None or code in have or preset.template not in templates:
            continue
        outline = park.geometry if preset.park and park is not None else None
        if preset.park and not outline:
            continue
        made.append(
            save_rule(
                actor, None, org.pk, code=code, name=preset.name, name_en=preset.name_en, severity=preset.severity,
                definition=filled(preset.definition, outline), source=preset.source, advice=preset.advice,
                template=templates[preset.template], preset=code,
            )
        )  # fmt: skip
    return made
