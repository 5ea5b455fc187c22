"""Small helpers on Chinese office text: normal forms, keys for comparison, cell addresses."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_SPACE = re.compile(r"[\s\u200b\ufeff\u00a0]+")
_NOISE = re.compile(r"[^\w]+|_", re.UNICODE)
_CN_DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}

#: What offices write where there is nothing to write.
EMPTY_WORDS = frozenset(
    {
        "",
        "-",
        "--",
        "---",
        "—",
        "——",
        "–",
        "/",
        "\\",
        "//",
        "无",
        "暂无",
        "未定",
        "待定",
        "待确定",
        "空",
        "n/a",
        "na",
        "null",
        "none",
        "nil",
        "没有",
        "…",
        "……",
        "*",
        "·",
    }
)


def clean(text: str) -> str:
    """NFKC form with runs of white space reduced to one blank: full-width digits, brackets and ％ become plain."""
    if text.isascii():
        return _SPACE.sub(" ", text).strip()
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text)).strip()


def squeeze(text: str) -> str:
    """`clean` without any blank at all, for header words and numbers."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text))


@lru_cache(maxsize=65536)
def key(text: str) -> str:
    """Comparison key: NFKC, lower case, letters and digits only. Two spellings of one project name share it."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text)).lower()


def is_empty(value: object) -> bool:
    """True for None and for the words offices use to say "nothing" ('—', '/', '无' …)."""
    if value is None:
        return True
    if isinstance(value, str):
        return value == "" or (len(value) < 8 and squeeze(value).lower() in EMPTY_WORDS)
    return False


def a1(row: int, column: int) -> str:
    """Excel address of a zero-based row and column: a1(4, 6) == 'G5'."""
    return f"{letters(column)}{row + 1}"


def letters(column: int) -> str:
    """Excel letters of a zero-based column: letters(27) == 'AB'."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def chinese_number(text: str) -> int | None:
    """Value of a Chinese numeral up to 99 ('十二' → 12), None when it is none."""
    if not text:
        return None
    if "十" in text:
        tens, _, ones = text.partition("十")
        high = 1 if not tens else _CN_DIGITS.get(tens)
        low = 0 if not ones else _CN_DIGITS.get(ones)
        return None if high is None or low is None else high * 10 + low
    if len(text) == 1:
        return _CN_DIGITS.get(text)
    return None
