"""The library of product templates that the program brings, and how it comes into a register."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from yuanmai.common.yaml_file import load_yaml
from yuanmai.devices.models import ProductTemplate

FOLDER = Path(__file__).parents[1] / "presets" / "templates"
POINT_FIELDS = (
    "code", "name", "name_en", "kind", "address", "unit", "scale", "offset", "low", "high", "deadband", "decimals", "states",
    "writable",
)  # fmt: skip


@dataclass(frozen=True)
class Preset:
    """A template of the library: `points` as they stand in the file, `source` with the day of the text it follows."""

    code: str
    name: str
    name_en: str
    protocol: str
    icon: str
    profile: dict[str, Any]
    source: str
    dated: str
    points: tuple[dict[str, Any], ...]


@lru_cache(maxsize=1)
def library() -> dict[str, Preset]:
    """Return the library by code, in the order of the files' names."""
    found: dict[str, Preset] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        told = load_yaml(path)
        profile = {**told.get("profile", {}), "silence_after": told["silence_after"]}
        if told.get("mobile"):
            profile["mobile"] = True
        found[told["code"]] = Preset(
            told["code"], told["name"], told["name_en"], told["protocol"], told["icon"], profile,
            told["source"], str(told["dated"]), tuple(told["points"]),
        )  # fmt: skip
    return found


def missing(org_id: int) -> list[Preset]:
    """Return the templates of the library that an organisation's register does not have, retired ones counted as there."""
    present = set(ProductTemplate.objects.filter(org_id=org_id).values_list("code", flat=True))
    return without(present)


def without(present: Collection[str]) -> list[Preset]:
    """Return the templates of the library but for those of these codes."""
    return [preset for code, preset in library().items() if code not in present]
