"""What an address of a point and an identity of a device look like in each protocol."""

import re

# Types and orders of bytes: protocols.modbus.values.
_MODBUS = r"(?:coil|discrete):\d{1,5}(?::bool)?|(?:holding|input):\d{1,5}(?::(?:bool|u?int(?:16|32|64)|float(?:32|64))(?::(?:ABCD|CDAB|BADC|DCBA))?)?"
_PATH = r"[^\s.\[\]]+(?:\[\d+\])*(?:\.[^\s.\[\]]+(?:\[\d+\])*)*"
_PORT = r"[A-Za-z0-9_.\-]+:\d{1,5}"

ADDRESSES: dict[str, tuple[re.Pattern[str], str]] = {
    protocol: (re.compile(pattern), example)
    for protocol, pattern, example in (
        ("hj212", r"[A-Za-z0-9_.]+(?:-[A-Za-z0-9_.]+)*-[A-Za-z]+(?:@\d{4})?", "w01018-Rtd"),
        ("jt808", r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*", "speed"),
        ("mqtt", _PATH, "data.temperature"),
        ("sparkplug", r"[^\s/](?:[^\t\r\n]*\S)?", "Inputs/Temperature"),
        ("modbus", _MODBUS, "holding:100:float32"),
        ("dlt645", r"[0-9A-F]{8}", "00010000"),
        ("cjt188", r"[a-z][a-z0-9_]*", "total"),
        ("http", _PATH, "temperature"),
    )
}
KEYS: dict[str, tuple[re.Pattern[str], str]] = {
    protocol: (re.compile(pattern), example)
    for protocol, pattern, example in (
        ("hj212", r"[A-Za-z0-9_\-]{5,40}", "010000A8900016F000169DC0"),
        ("jt808", r"[1-9]\d{3,19}", "13800000001"),
        ("mqtt", r"[^\s+#]{1,200}", "lamp-0001"),
        ("sparkplug", r"[^\s/+#]+/[^\s/+#]+(?:/[^\s/+#]+)?", "park/node1/meter3"),
        ("modbus", rf"{_PORT}/(?:25[0-5]|2[0-4]\d|1?\d?\d)", "10.0.0.8:502/1"),
        ("dlt645", rf"{_PORT}/\d{{12}}", "10.0.0.9:4001/000000012345"),
        ("cjt188", rf"{_PORT}/[0-9A-F]{{14}}", "10.0.0.9:4002/00001234567890"),
        ("http", r"\S{1,200}", "weather-01"),
    )
}
CODE = re.compile(r"[A-Za-z0-9_.\-]{1,60}")


def address_fits(protocol: str, address: str) -> bool:
    """Return whether an address of a point is written as the protocol wants it; registers lie below 65,536."""
    pattern, _example = ADDRESSES[protocol]
    if not pattern.fullmatch(address):
        return False
    return protocol != "modbus" or int(address.split(":")[1]) < 0x10000


def address_example(protocol: str) -> str:
    """Return an address as the protocol wants it."""
    return ADDRESSES[protocol][1]


def normal_key(protocol: str, key: str) -> str:
    """Return an identity as it is kept: phones without leading zeros, addresses of meters in capitals."""
    key = key.strip()
    if protocol == "jt808":
        return key.lstrip("0")
    if protocol in ("dlt645", "cjt188") and "/" in key:
        place, _slash, address = key.rpartition("/")
        return f"{place.lower()}/{address.upper().zfill(12 if protocol == 'dlt645' else 14)}"
    return key


def key_fits(protocol: str, key: str) -> bool:
    """Return whether an identity (`normal_key`) is written as the protocol wants it."""
    return bool(KEYS[protocol][0].fullmatch(key))


def key_example(protocol: str) -> str:
    """Return an identity as the protocol wants it."""
    return KEYS[protocol][1]


def numbered(pattern: str, number: int) -> str:
    """Return a text with a number in it: `{n}`, `{n:04}` (width), or, without either, the last digits of the text + number.

    `numbered("lamp-{n:03}", 7)` is `lamp-007`; `numbered("13800000001", 2)` is `13800000003`.
    """
    mark = re.compile(r"\{n(?::0?(\d{1,2}))?\}")
    if mark.search(pattern):
        return mark.sub(lambda found: str(number).zfill(int(found[1] or 1)), pattern)
    digits = re.search(r"(\d+)(\D*)$", pattern)
    if digits is None:
        return f"{pattern}{number}"
    grown = str(int(digits[1]) + number).zfill(len(digits[1]))
    return f"{pattern[: digits.start()]}{grown}{digits[2]}"


def counted(number: int, first: int, *, code: str, name: str, key: str) -> dict[str, str]:
    """Return code, name and identity of one device of a row that begins with `first`: a pattern holds the number, or it is counted on."""
    step = number if "{n" in key else number - first
    return {
        "code": numbered(code, number if "{n" in code else number - first),
        "name": numbered(name, number) if "{n" in name else f"{name} {number}",
        "key": numbered(key, step) if key else "",
    }
