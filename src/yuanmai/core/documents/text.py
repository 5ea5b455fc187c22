"""Words and numbers as official documents write them: dates, numbering, units, widths."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from .model import Block, Column, Heading, Kind, Value

_DIGITS = "零一二三四五六七八九"
# What XML 1.0 cannot carry at all; in a document such a character can only be an accident.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """``text`` without characters that no document format can carry; tabs and line breaks become spaces."""
    return re.sub(r"[\t\r\n]+", " ", _ILLEGAL.sub("", text))


def chinese_number(number: int) -> str:
    """A number from 1 to 99 in Chinese numerals (12 → 十二)."""
    if not 1 <= number <= 99:
        raise ValueError(f"Only 1 to 99 are used for numbering, not {number}")
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else ("十" if tens == 1 else f"{_DIGITS[tens]}十")
    return head + (_DIGITS[ones] if ones else "")


def long_date(day: date, language: str = "zh") -> str:
    """The date of an official document: 2022年4月2日 (no leading zeros, GB/T 9704-2012, 7.3.5.4) or 2 April 2022."""
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {day:%B} {day.year}"


def heading_number(level: int, number: int, language: str = "zh") -> str:
    """The number of a heading: 一、 （一） 1. （1） in Chinese, I. A. 1. (1) in English."""
    if language == "zh":
        numeral = chinese_number(number) if number < 100 else str(number)
        return (f"{numeral}、", f"（{numeral}）", f"{number}.", f"（{number}）")[level - 1]
    roman = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
    tens, ones = divmod(number, 10)
    letter = chr(64 + number) if number <= 26 else str(number)
    return (f"{'X' * tens}{roman[ones]}. ", f"{letter}. ", f"{number}. ", f"({number}) ")[level - 1]


def numbered(blocks: Iterable[Block], language: str = "zh") -> Iterator[tuple[Block, str]]:
    """Each block with the number to print before it (empty for all but headings); deeper levels start anew."""
    counters = [0, 0, 0, 0]
    for block in blocks:
        if isinstance(block, Heading):
            counters[block.level - 1] += 1
            counters[block.level :] = [0] * (4 - block.level)
            yield block, heading_number(block.level, counters[block.level - 1], language)
        else:
            yield block, ""


def rounded(value: Decimal, digits: int) -> Decimal:
    """Commercial rounding (half up), as Chinese statistics use it (GB/T 8170 allows it when agreed)."""
    return value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def shown(value: Value, column: Column) -> str:
    """A table value as text: thousands are not separated, as in official tables; nothing is an em dash."""
    if value is None:
        return "—"
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    number = Decimal(value)
    if column.kind is Kind.PERCENT:
        return f"{rounded(number * 100, column.digits):f}%"
    if column.kind is Kind.DECIMAL:
        return f"{rounded(number, column.digits):f}"
    return f"{rounded(number, 0):f}" if column.kind is Kind.INTEGER else f"{number:f}"


def width_in_chars(text: str) -> float:
    """How wide ``text`` is, in full-width characters; letters and digits count half."""
    return sum(1.0 if unicodedata.east_asian_width(char) in "WFA" else 0.5 for char in text)


def title_lines(title: str, per_line: int = 20) -> list[str]:
    """Breaks a title into lines of at most ``per_line`` characters; stated line breaks win.

    A title is not broken inside a word: lines break before 关于, after 的, 、, or between 《》, and never leave one
    character alone (GB/T 9704-2012, 7.3.1 asks for a trapezium or a diamond, with words left whole).
    """
    lines: list[str] = []
    for part in title.splitlines() or [""]:
        lines.extend(_broken(clean(part), per_line))
    return lines


def _broken(text: str, per_line: int) -> list[str]:
    if width_in_chars(text) <= per_line:
        return [text]
    middle = len(text) / 2
    places = [match.end() for match in re.finditer(r"[的、》）]|年度?(?=.)|月(?=.)|季度(?=.)| ", text)]
    good = [place for place in places if width_in_chars(text[:place]) <= per_line and place < len(text) - 1]
    cut = min(good, key=lambda place: abs(place - middle)) if good else _hard_cut(text, per_line)
    return [text[:cut].rstrip(), *_broken(text[cut:].lstrip(), per_line)]


def _hard_cut(text: str, per_line: int) -> int:
    width, cut = 0.0, 0
    for cut, char in enumerate(text):  # noqa: B007  (the position is the result)
        width += width_in_chars(char)
        if width > per_line:
            break
    return max(cut, 1)


#: Words that the document itself adds.
WORDS = {
    "zh": {
        "attachment": "附件",
        "copies": "抄送：",
        "printed": "印发",
        "issuer": "签发人：",
        "colon": "：",
        "note": ("（", "）"),
        "stop": "。",
        "table_note": "注：",
    },
    "en": {
        "attachment": "Attachment ",
        "copies": "Copies to: ",
        "printed": "",
        "issuer": "Issued by: ",
        "colon": ":",
        "note": ("(", ")"),
        "stop": ".",
        "table_note": "Note: ",
    },
}
