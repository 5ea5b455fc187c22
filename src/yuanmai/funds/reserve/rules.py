"""The rules of special bonds in force: defaults of ``presets/bond_rules.yaml``, overridden by what organisations decided.

Rules are public inside an installation: a park reads what its province decided, although the province's rows lie outside
its data scope. Codes, kinds and names are those of the preset; an unknown code raises `KeyError`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from importlib import resources
from types import MappingProxyType
from typing import Any

import yaml
from django.core.cache import cache
from django.db.models import Q

from yuanmai.core.actions import acting
from yuanmai.core.audit.log import versions
from yuanmai.core.figures.display import chinese
from yuanmai.core.scope import everywhere
from yuanmai.funds.engine.bonds.terms import Rules as EngineRules
from yuanmai.funds.engine.rules import DEFAULT, Statement, in_force
from yuanmai.funds.models import BondRule
from yuanmai.people.models import Organisation

SHARES = {"share", "ratio", "points"}
NUMBERS = {"months", "years", "count"}
LEVELS = {"refuse", "flag", "off"}  # what a rule of kind "level" does


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as the preset declares it; `names` is the list of codes that a table is keyed by."""

    code: str
    kind: str
    group: str
    name: Mapping[str, str]
    note: Mapping[str, str]
    names: str
    defaults: tuple[Statement, ...]

    @property
    def label(self) -> str:
        """What it is called, in the active language."""
        return self.name[_language()]

    @property
    def hint(self) -> str:
        """What it means, in the active language."""
        return self.note[_language()]


def _language() -> str:
    return "zh" if chinese() else "en"


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    path = resources.files("yuanmai.funds").joinpath("presets/bond_rules.yaml")
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


@lru_cache(maxsize=1)
def parameters() -> Mapping[str, Parameter]:
    """Return every parameter by code, in the order of the preset."""
    found = {}
    for code, entry in _document()["rules"].items():
        defaults = tuple(
            Statement(code, line["from"], line["value"], line["source"], DEFAULT, order)
            for order, line in enumerate(entry["values"])
        )
        found[code] = Parameter(
            code,
            entry["kind"],
            entry["group"],
            entry["name"],
            entry["note"],
            entry.get("names", ""),
            defaults,
        )
    return MappingProxyType(found)


def names(listing: str) -> dict[str, str]:
    """Return code → name in the active language of a list of the preset: sectors, fields, headings, checklist, groups."""
    return {code: entry[_language()] for code, entry in _document()["names"][listing].items()}


def name_of(listing: str, code: str) -> str:
    """Return what a code is called, the code itself where the list does not know it."""
    entry = _document()["names"][listing].get(code)
    return str(entry[_language()]) if entry else code


def typed(kind: str, value: Any) -> Any:
    """Return a stored value as code uses it: shares as `Decimal`, tables of shares as code → `Decimal`."""
    if kind in SHARES:
        return Decimal(str(value))
    if kind in NUMBERS:
        return int(value)
    if kind == "level":
        return str(value)
    if kind == "terms":
        return tuple(sorted(int(term) for term in value))
    if kind in {"shares", "weights"}:
        return {code: Decimal(str(number)) for code, number in value.items()}
    return {code: dict(entry or {}) for code, entry in value.items()}


@dataclass(frozen=True, slots=True)
class Rules(Mapping[str, Any]):
    """The values in force for one organisation on one day: code → typed value; `held` tells who decided each, and when."""

    held: Mapping[str, Statement]

    def __getitem__(self, code: str) -> Any:
        """Return the value of a parameter; raises `KeyError` for an unknown one, or one that did not hold yet."""
        return typed(parameters()[code].kind, self.held[code].value)

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)

    def engine(self) -> EngineRules:
        """Return what the bond engine needs of them."""
        return EngineRules(
            terms=self["permitted_terms"],
            semiannual_from=self["semiannual_from"],
            highest_rate=self["highest_rate"],
            coverage_lower=self["coverage_threshold"],
            coverage_upper=self["coverage_upper"],
            all_debt_lower=self["coverage_all_debt"],
            horizon=self["horizon"],
        )

    def frequency(self, term_years: int) -> int:
        """Return how often a bond of this term pays interest, unless said otherwise."""
        return 2 if term_years >= self["semiannual_from"] else 1


def rule(code: str, org_id: int, on: date, known_at: datetime | None = None) -> Any:
    """Return the typed value of a parameter that holds for an organisation on a day."""
    return rules_for(org_id, on, known_at)[code]


def rules_for(org_id: int, on: date, known_at: datetime | None = None) -> Rules:
    """Return every rule for one organisation on a day: its own, else those of the nearest organisation above, else defaults."""
    return rules_of([org_id], on, known_at)[org_id]


def rules_of(org_ids: Iterable[int], on: date, known_at: datetime | None = None) -> dict[int, Rules]:
    """Return the rules of many organisations in two queries; kept until rules or organisations change."""
    ids = sorted(set(org_ids))
    if acting.get() is not None:  # what an action sees may be rolled back
        return _rules_of(ids, on, known_at)
    known = versions()
    question = blake2b(f"{ids}:{on}:{known_at}".encode(), digest_size=16).hexdigest()
    key = f"bond-rules:{known.get('funds', 0)}:{known.get('people', 0)}:{question}"
    found: dict[int, Rules] | None = cache.get(key)
    if found is None:
        found = _rules_of(ids, on, known_at)
        cache.set(key, found)
    return found


def known(known_at: datetime | None) -> Q:
    """Return the condition that a rule stood at a moment."""
    if known_at is None:
        return Q(retracted_at=None)
    return Q(recorded_at__lte=known_at) & (Q(retracted_at=None) | Q(retracted_at__gt=known_at))


def _rules_of(ids: list[int], on: date, known_at: datetime | None) -> dict[int, Rules]:
    paths = dict(Organisation.objects.filter(pk__in=ids).values_list("pk", "path"))
    above = {path[:end] for path in paths.values() for end in range(step(), len(path) + 1, step())}
    with everywhere():
        rows = BondRule.objects.filter(known(known_at), org__path__in=above, effective_on__lte=on)
        decided = list(rows.order_by("recorded_at", "id").select_related("org"))
    defaults = [entry for parameter in parameters().values() for entry in parameter.defaults]
    found = {}
    for org_id in ids:
        path = paths.get(org_id, "")
        mine = [
            Statement(
                row.code,
                row.effective_on,
                row.value,
                row.source,
                (len(path) - len(row.org.path)) // step(),
                order,
                row.org_id,
                row.pk,
            )
            for order, row in enumerate(decided)
            if path.startswith(row.org.path)
        ]
        found[org_id] = Rules(in_force([*defaults, *mine], on))
    return found


def step() -> int:
    """Return the length of one step of an organisation's path."""
    return int(Organisation.steplen)
