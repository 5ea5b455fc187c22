"""The data segment of an HJ 212 frame taken apart: fields, then CP with parameters and factors."""

import re
from sys import intern

# A text of a log or a remark stands between two pairs of slashes and may hold the signs that separate.
QUOTED = re.compile(r"//.*?//", re.DOTALL)
# Blanks beside the signs that separate mean nothing.
BLANKS = re.compile(r"(?<! ) +(?=[=;,])|(?<=[=;,]) +")
# Where CP begins, however it is written.
CP_MARK = re.compile(r"(?:^|(?<=[;,])) *CP *=", re.IGNORECASE)
FIELDS = frozenset({"QN", "ST", "CN", "PW", "MN", "Flag", "PNUM", "PNO"})
Parsed = tuple[dict[str, str], dict[str, str], dict[str, dict[str, str]], tuple[str, ...]]


class SyntaxFault(Exception):  # noqa: N818  (a fault to be handed out, not an error of the program)
    """Inside the codec only: the segment cannot be read."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


KEYS: dict[str, tuple[str, str]] = {}  # the last few thousand; stations send the same ones again and again
MOST_KEYS = 8192
# The head as the standard orders it.
ORDERED = re.compile(
    r"QN=([^;=, ]*);ST=([^;=, ]*);CN=([^;=, ]*);PW=([^;=, ]*);MN=([^;=, ]*);Flag=([^;=, ]*);CP=&&"
)


def split_key(key: str) -> tuple[str, str]:
    """Return code and field of a key of CP, cut at the LAST dash; the code is empty where there is none."""
    code, dash, name = key.strip().rpartition("-")
    if len(KEYS) >= MOST_KEYS:
        KEYS.clear()
    KEYS[key] = found = (intern(code.rstrip()), name.lstrip()) if dash and code else ("", key.strip())
    return found


def parse(segment: bytes, encoding: str = "auto", drop_stray: bool = False) -> Parsed:
    """Return fields, parameters, factors and oddities of a data segment; raises SyntaxFault.

    Values of one name that come twice: the last one stands.
    """
    text, odd = read_text(segment, encoding)
    ordered = ORDERED.match(text)
    if ordered is not None and text.endswith("&&", ordered.end()):
        qn, st, cn, pw, mn, flag = ordered.groups()
        params, factors, odd = parse_items(text[ordered.end() : -2], odd, drop_stray)
        return {"QN": qn, "ST": st, "CN": cn, "PW": pw, "MN": mn, "Flag": flag}, params, factors, odd
    head, body = split_cp(text)
    fields: dict[str, str] = {}
    for item in head.split(";"):
        name, sign, value = item.partition("=")
        if sign and name in FIELDS:
            fields[name] = value.strip(" ,")
        elif sign:
            fields[name.strip(" ,\t")] = value.strip(" ,")
            if not name.isalnum():
                odd = (*odd, "stray_separator")
        elif item.strip(" ,\t\r\n"):
            if not drop_stray:
                raise SyntaxFault("syntax")
            odd = (*odd, "stray_item")
    if not (body.startswith("&&") and body.endswith("&&") and len(body) >= 4):
        body = body.strip()
        if not (body.startswith("&&") and body.endswith("&&") and len(body) >= 4):
            raise SyntaxFault("bad_cp")
        odd = (*odd, "blank")
    params, factors, odd = parse_items(body[2:-2], odd, drop_stray)
    return fields, params, factors, odd


def split_cp(text: str) -> tuple[str, str]:
    """Return what stands before CP and what it holds, && and && with it."""
    head, mark, body = text.partition("CP=")
    if not mark or (head and not head.rstrip().endswith((";", ","))):
        place = CP_MARK.search(text)
        if place is None:
            raise SyntaxFault("bad_cp")
        head, body = text[: place.start()], text[place.end() :]
    return head, body


def parse_items(
    content: str, odd: tuple[str, ...], drop_stray: bool
) -> tuple[dict[str, str], dict[str, dict[str, str]], tuple[str, ...]]:
    """Return parameters and factors of what stands between && and &&."""
    params: dict[str, str] = {}
    factors: dict[str, dict[str, str]] = {}
    if not content:
        return params, factors, odd
    quotes: list[str] = []
    if "//" in content:
        content, quotes = take_quotes(content)
    if " " in content and not content.isspace():
        content = BLANKS.sub("", content.strip(" "))
        odd = (*odd, "blank")
    keys = KEYS
    last, values = "", params
    for item in content.replace(",", ";").split(";"):
        key, sign, value = item.partition("=")
        if not sign:
            if item and not item.isspace():
                if not drop_stray:
                    raise SyntaxFault("syntax")
                odd = (*odd, "stray_item")
            else:
                odd = (*odd, "empty_item")
            continue
        try:
            code, name = keys[key]
        except KeyError:
            code, name = split_key(key)
        if code is last:
            values[name] = value
        elif code in factors:
            last, values = code, factors[code]
            values[name] = value
        elif code:
            last, values = code, {name: value}
            factors[code] = values
        else:
            params[name] = value
    if quotes:
        params = {name: _unquote(value, quotes) for name, value in params.items()}
        for values in factors.values():
            values.update({name: _unquote(value, quotes) for name, value in values.items()})
    return params, factors, odd


def take_quotes(content: str) -> tuple[str, list[str]]:
    """Return items with a place mark instead of each text between slashes, and those texts."""
    quotes: list[str] = []

    def kept(found: re.Match[str]) -> str:
        quotes.append(found[0])
        return f"\0{len(quotes) - 1}\0"

    return QUOTED.sub(kept, content), quotes


def _unquote(value: str, quotes: list[str]) -> str:
    def given(found: re.Match[str]) -> str:
        place = int(found[1])
        return quotes[place] if place < len(quotes) else found[0]

    return re.sub("\0(\\d{1,4})\0", given, value)


def read_text(segment: bytes, encoding: str) -> tuple[str, tuple[str, ...]]:
    """Return the text of a segment, and `gbk` or `undecodable` where it is not plain."""
    try:
        return segment.decode("utf-8" if encoding == "auto" else encoding), ()
    except (UnicodeDecodeError, LookupError):
        pass
    if encoding == "auto":
        try:
            return segment.decode("gb18030"), ("gbk",)
        except UnicodeDecodeError:
            pass
    return segment.decode("utf-8", "backslashreplace"), ("undecodable",)
