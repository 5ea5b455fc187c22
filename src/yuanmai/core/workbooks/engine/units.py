"""Units of money: words to factors in yuan, and where a sheet says which one it uses."""

from __future__ import annotations

import re
from decimal import Decimal

from .text import squeeze

#: Factor to yuan of each word. Longer words stand first so that 亿元 is not read as 元.
MONEY_UNITS: dict[str, Decimal] = {
    "十亿元": Decimal(1_000_000_000),
    "亿元": Decimal(100_000_000),
    "千万元": Decimal(10_000_000),
    "百万元": Decimal(1_000_000),
    "十万元": Decimal(100_000),
    "万元": Decimal(10_000),
    "千元": Decimal(1_000),
    "百元": Decimal(100),
    "亿": Decimal(100_000_000),
    "万": Decimal(10_000),
    "元": Decimal(1),
}
_WORDS = "|".join(MONEY_UNITS)
_FULL = "十亿元|亿元|千万元|百万元|十万元|万元|千元|百元|元"
# '填报单位' and its like name an organisation.
_STATED = re.compile(
    rf"(?<!填报)(?<!建设)(?<!责任)(?<!项目)(?<!编制)(?<!制表)(?<!报送)(?<!牵头)(?<!业主)(?<!主管)单位(?:名称)?[:为是]?(?:人民币)?[^:。;\u4e00-\u9fff]{{0,4}}?({_FULL})"
)
_BRACKET = re.compile(rf"[(\[【]\s*(?:单位)?[:为]?\s*(?:人民币)?\s*({_FULL})[^)\]】]{{0,12}}[)\]】]")
_NOTE = re.compile(rf"(?:金额|投资额?|资金|数据)(?:数据)?(?:单位)?(?:均|统一)?(?:以|按|为|是)({_FULL})")
_TAIL = re.compile(rf"[:,/、_-]?(?:人民币)?({_FULL})$")


def factor(word: str) -> Decimal | None:
    """Yuan per unit, None for a word that is no unit of money."""
    return MONEY_UNITS.get(word)


def unit_in_text(text: str) -> str | None:
    """The money unit a title or note states ('单位:万元', '（亿元）', '金额单位为万元'), None without one.

    '填报单位:坦洲镇重点办' names an organisation and is not taken for a unit.
    """
    plain = squeeze(text)
    for pattern in (_STATED, _BRACKET, _NOTE):
        match = pattern.search(plain)
        if match:
            return match[1]
    return None


def unit_in_header(text: str) -> str | None:
    """The money unit in a column's header ('总投资(亿元)', '总投资\\n万元', '投资额:亿元')."""
    plain = squeeze(text)
    match = _BRACKET.search(plain) or _TAIL.search(plain) or _STATED.search(plain)
    return match[1] if match else None


def strip_unit(header: str) -> str:
    """A header without its unit: '总投资(亿元)' → '总投资'."""
    plain = re.sub(
        rf"[(\[【]\s*(?:单位)?[:为]?\s*(?:人民币)?\s*(?:{_FULL}|%|亩|平方米|公里|个|m2|㎡|平方公里|米)[^)\]】]{{0,12}}[)\]】]",
        "",
        squeeze(header),
    )
    plain = _TAIL.sub("", plain)
    return plain


def is_unit_only(text: str) -> bool:
    """True for a cell that holds nothing but a unit, as in a row of units below a head."""
    return bool(
        re.fullmatch(
            rf"[(\[]?(?:单位[:为]?)?(?:{_WORDS}|%|亩|平方米|m2|公里|个|年月|年/月|年|月)[)\]]?", squeeze(text)
        )
    )
