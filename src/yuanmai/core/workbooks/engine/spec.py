"""The kind of a workbook as data: its fields, their words, and the rules between them. Loaded from YAML text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import yaml

FieldType = Literal[
    "text", "code", "money", "number", "percent", "date", "date_range", "choice", "state", "tags", "index"
]
NUMERIC: frozenset[str] = frozenset({"money", "number", "percent"})


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a column can mean."""

    code: str
    type: FieldType
    label: str
    label_zh: str
    synonyms: tuple[str, ...] = ()
    required: bool = False
    max_length: int = 0
    values: Mapping[str, tuple[str, ...]] | None = None
    #: For a date: which end of a period given only as month or year is meant.
    edge: Literal["start", "finish"] = "start"
    #: A long text may go on in the next row.
    long: bool = False
    #: Summed in the total checks.
    summed: bool = False
    #: For a percent: numerator and denominator fields it must agree with; it is then checked and not stored.
    check: tuple[str, str] | None = None
    maximum: Decimal | None = None
    #: For a percent: plain numbers above it are percent points, not fractions (an interest rate of 1.45 is 1.45 %).
    fractions_up_to: Decimal = Decimal("1.5")
    #: Unknown word of a choice: error or warning.
    unknown: Literal["error", "warning"] = "error"
    #: For a text: the name of a reader in `formats.py` that checks it and brings it into the form in which it is kept.
    format: str = ""
    #: What a cell may look like; shown in the template.
    example: str = ""


@dataclass(frozen=True, slots=True)
class GroupRule:
    """How the text of a group row ('一、新开工项目(5个)') becomes a value of a field."""

    field: str
    by: Literal["values", "suffix", "rest"]
    suffixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CrossRule:
    """`left` (or the sum of several) must not exceed `right`."""

    code: str
    left: tuple[str, ...]
    right: str
    severity: Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class KindSpec:
    """A kind of workbook: what the pipeline needs to read one."""

    kind: str
    label: str
    label_zh: str
    fields: Mapping[str, Field]
    groups: tuple[GroupRule, ...]
    rules: tuple[CrossRule, ...]
    blockers: tuple[str, ...]
    generic: tuple[str, ...]
    default_unit: str = "万元"
    name_field: str = "name"
    code_field: str = "code"
    #: Fields whose value may stand only once on a sheet, besides the code.
    unique: tuple[str, ...] = ()
    #: What makes a row itself where a name occurs in many rows (a project and a bond): of each group the first field
    #: that is filled counts. A name merged over several rows is then repeated, not gone on with.
    row_key: tuple[tuple[str, ...], ...] = ()

    def label_of(self, code: str, *, chinese: bool = True) -> str:
        """The field's name for people."""
        field = self.fields[code]
        return field.label_zh if chinese else field.label


def load_spec(text: str) -> KindSpec:
    """Read a kind from YAML text. Raises ValueError naming the field when the text is inconsistent."""
    raw: dict[str, Any] = yaml.safe_load(text)
    fields: dict[str, Field] = {}
    for code, item in raw["fields"].items():
        values = item.get("values")
        check = item.get("check")
        maximum = item.get("maximum")
        fields[code] = Field(
            code=code,
            type=item["type"],
            label=item["label"]["en"],
            label_zh=item["label"]["zh"],
            synonyms=tuple(str(word) for word in item.get("synonyms", ())),
            required=bool(item.get("required", False)),
            max_length=int(item.get("max_length", 0)),
            values={str(k): tuple(str(w) for w in words) for k, words in values.items()} if values else None,
            edge=item.get("edge", "start"),
            long=bool(item.get("long", False)),
            summed=bool(item.get("summed", False)),
            check=(check["numerator"], check["denominator"]) if check else None,
            maximum=Decimal(str(maximum)) if maximum is not None else None,
            fractions_up_to=Decimal(str(item.get("fractions_up_to", "1.5"))),
            unknown=item.get("unknown", "error"),
            format=item.get("format", ""),
            example=str(item.get("example", "")),
        )
    rules = tuple(
        CrossRule(
            code=rule["code"],
            left=tuple(rule["left"]) if isinstance(rule["left"], list) else (rule["left"],),
            right=rule["right"],
            severity=rule.get("severity", "error"),
        )
        for rule in raw.get("rules", ())
    )
    groups = tuple(
        GroupRule(field=g["field"], by=g["by"], suffixes=tuple(g.get("suffixes", ())))
        for g in raw.get("groups", ())
    )
    for rule in rules:
        for name in (*rule.left, rule.right):
            if name not in fields:
                raise ValueError(f"rule {rule.code}: unknown field {name}")
    for group in groups:
        if group.field not in fields:
            raise ValueError(f"group rule: unknown field {group.field}")
    return KindSpec(
        kind=raw["kind"],
        label=raw["label"]["en"],
        label_zh=raw["label"]["zh"],
        fields=fields,
        groups=groups,
        rules=rules,
        blockers=tuple(raw.get("blockers", ())),
        generic=tuple(raw.get("generic", ())),
        default_unit=raw.get("default_unit", "万元"),
        name_field=raw.get("name_field", "name"),
        code_field=raw.get("code_field", "code"),
        unique=tuple(raw.get("unique", ())),
        row_key=tuple(tuple(group) for group in raw.get("row_key", ())),
    )
