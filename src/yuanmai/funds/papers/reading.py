"""Cells of bond ledgers that need more than a number: terms and instalment schedules (pure)."""

import re
from decimal import Decimal

from yuanmai.core.workbooks.engine.text import chinese_number, squeeze
from yuanmai.core.workbooks.engine.values import ValueFault

LONGEST = 50
_TERM = re.compile(
    r"(?P<n>\d{1,3}(?:\.0+)?|[一二两三四五六七八九十]{1,3})(?P<unit>年期?|个?月|y|year|years)?(?:\(.*\))?",
    re.IGNORECASE,
)
_STEP = re.compile(
    r"第?(?P<first>\d{1,2})年?(?:(?:[-‐－—–~～至到]|和|、)第?(?P<last>\d{1,2}))?年?(?:末|底)?(?:,|:)?"
    r"(?P<each>每年|各年|分别|各|均)?(?:末|底)?(?:按|偿还|还本|归还|兑付|还)*(?:发行额|发行总额|债券|面值|总额)?(?:本金|总额)?(?:金额)?的?(?P<share>\d{1,3}(?:\.\d+)?)%"
)


def bond_term(text: str) -> str:
    """Return a term in whole years as text: ``10年``, ``10Y``, ``十年``, ``120个月`` → ``10``.

    Raises `ValueFault` ``bond.term_unreadable`` for anything else, and for more than 50 years.
    """
    match = _TERM.fullmatch(squeeze(text))
    number = None
    if match:
        said = match["n"]
        number = int(Decimal(said)) if said[0].isdigit() else chinese_number(said)
        if number is not None and "月" in (match["unit"] or ""):
            number = number // 12 if number % 12 == 0 else None
    if number is None or not 1 <= number <= LONGEST:
        raise ValueFault("bond.term_unreadable")
    return str(number)


def steps_of(text: str) -> list[tuple[int, Decimal]]:
    """Return (year of the term, share of the principal) of a schedule such as ``第6至10年每年偿还5%,第11至15年每年15%``.

    Raises `ValueFault` ``bond.schedule_unreadable``, or ``bond.schedule_sum`` where the shares do not add up to 1.
    """
    plain = squeeze(text)
    steps: dict[int, Decimal] = {}
    for match in _STEP.finditer(plain):
        first = int(match["first"])
        last = int(match["last"] or first)
        if not 1 <= first <= last <= LONGEST:
            raise ValueFault("bond.schedule_unreadable")
        for year in range(first, last + 1):
            steps[year] = steps.get(year, Decimal(0)) + Decimal(match["share"]) / 100
    if not steps:
        raise ValueFault("bond.schedule_unreadable")
    if abs(sum(steps.values(), Decimal(0)) - 1) > Decimal("0.0001"):
        raise ValueFault("bond.schedule_sum", share=f"{sum(steps.values(), Decimal(0)) * 100:f}")
    return sorted(steps.items())


def bond_schedule(text: str) -> str:
    """Return a schedule in its plain form ``6:0.05;7:0.05``; raises as :func:`steps_of`."""
    return ";".join(f"{year}:{share.normalize():f}" for year, share in steps_of(text))


def instalments_of(schedule: str) -> list[dict[str, object]]:
    """Return the plain form as a tranche stores it: ``[{"year": 6, "share": "0.05"}]``."""
    return [
        {"year": int(year), "share": share}
        for part in schedule.split(";")
        for year, share in [part.split(":")]
    ]
