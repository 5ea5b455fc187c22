"""Data items of DL/T 645-2007 (Appendix A): what a DI names, in which unit, and how its digits read."""

from dataclasses import dataclass
from functools import lru_cache

from yuanmai.protocols.dlt645 import frame as frames
from yuanmai.protocols.dlt645.frame import Frame
from yuanmai.protocols.moments import exists

ENERGIES: dict[int, tuple[str, str, bool]] = {
    0x00: ("combined active energy", "kWh", True),
    0x01: ("forward active energy", "kWh", False),
    0x02: ("reverse active energy", "kWh", False),
    0x03: ("combined reactive energy 1", "kvarh", True),
    0x04: ("combined reactive energy 2", "kvarh", True),
    0x05: ("quadrant 1 reactive energy", "kvarh", False),
    0x06: ("quadrant 2 reactive energy", "kvarh", False),
    0x07: ("quadrant 3 reactive energy", "kvarh", False),
    0x08: ("quadrant 4 reactive energy", "kvarh", False),
    0x09: ("forward apparent energy", "kVAh", False),
    0x0A: ("reverse apparent energy", "kVAh", False),
}
PHASE_ENERGIES = {1: 0x01, 2: 0x02, 3: 0x03, 4: 0x04, 5: 0x05, 6: 0x06, 7: 0x07, 8: 0x08, 9: 0x09, 10: 0x0A}
PHASES = ("A", "B", "C")
# DI2 of the group 02 → name, unit, bytes, decimals, signed, whether there is a total before the phases.
MEASURES: dict[int, tuple[str, str, int, int, bool, bool]] = {
    0x01: ("voltage", "V", 2, 1, False, False),
    0x02: ("current", "A", 3, 3, True, False),
    0x03: ("active power", "kW", 3, 4, True, True),
    0x04: ("reactive power", "kvar", 3, 4, True, True),
    0x05: ("apparent power", "kVA", 3, 4, True, True),
    0x06: ("power factor", "", 2, 3, True, True),
    0x07: ("phase angle", "°", 2, 1, False, False),
    0x08: ("voltage distortion", "%", 2, 2, False, False),
    0x09: ("current distortion", "%", 2, 2, False, False),
}
SINGLE: dict[str, tuple[str, str, int, int, bool]] = {
    "02800001": ("neutral current", "A", 3, 3, True),
    "02800002": ("frequency", "Hz", 2, 2, False),
    "02800003": ("average active power of a minute", "kW", 3, 4, True),
    "02800004": ("active demand", "kW", 3, 4, True),
    "02800005": ("reactive demand", "kvar", 3, 4, True),
    "02800006": ("apparent demand", "kVA", 3, 4, True),
    "02800007": ("temperature", "°C", 2, 1, True),
    "02800008": ("clock battery voltage", "V", 2, 2, False),
    "02800009": ("reading battery voltage", "V", 2, 2, False),
    "0280000A": ("battery running time", "min", 4, 0, False),
    "04000103": ("demand period", "min", 1, 0, False),
    "04000104": ("sliding time", "min", 1, 0, False),
    "04000409": ("active constant", "imp/kWh", 3, 0, False),
    "0400040A": ("reactive constant", "imp/kvarh", 3, 0, False),
    "0280000B": ("current step price", "yuan/kWh", 4, 4, False),
    "00900100": ("remaining energy", "kWh", 4, 2, False),
    "00900101": ("overdrawn energy", "kWh", 4, 2, False),
    "00900200": ("remaining amount", "yuan", 4, 2, False),
    "00900201": ("overdrawn amount", "yuan", 4, 2, False),
    "03300000": ("programmings", "", 3, 0, False),
    "03300100": ("clearings of the meter", "", 3, 0, False),
    "03300200": ("clearings of demand", "", 3, 0, False),
    "03300300": ("clearings of events", "", 3, 0, False),
    "03300400": ("clock settings", "", 3, 0, False),
    "03300D00": ("meter cover openings", "", 3, 0, False),
    "03300E00": ("terminal cover openings", "", 3, 0, False),
    "03110000": ("power failures", "", 3, 0, False),
    "1D000001": ("relay openings", "", 3, 0, False),
    "1E000001": ("relay closings", "", 3, 0, False),
}
# Digits that are no number, and characters (the last): name, bytes.
TEXTS: dict[str, tuple[str, int, bool]] = {
    "04000101": ("date and weekday", 4, False),
    "04000102": ("time", 3, False),
    "04000401": ("communication address", 6, False),
    "04000402": ("meter number", 6, False),
    "04000403": ("asset number", 32, True),
    "04000404": ("rated voltage", 6, True),
    "04000405": ("rated current", 6, True),
    "04000406": ("maximum current", 6, True),
    "04000407": ("active accuracy class", 4, True),
    "04000408": ("reactive accuracy class", 4, True),
    "0400040B": ("meter model", 10, True),
    "0400040C": ("production date", 10, True),
    "0400040D": ("protocol version", 16, True),
}
STAMP = 5  # bytes behind a maximum demand: when it was, minute first
FREEZES = {
    0: "timed", 1: "instant", 2: "zone switch", 3: "day table switch", 4: "hourly", 5: "tariff switch", 6: "daily", 7: "step switch"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """What a DI names: `size` bytes a value, `decimals` of its digits behind the point, top bit a sign or not, how many values.

    What is no number is `text`: digits, or `characters`. A demand is `stamped` with the five bytes of its time.
    """

    name: str
    unit: str
    size: int
    decimals: int
    signed: bool
    block: bool = False
    text: bool = False
    characters: bool = False
    stamped: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A data item in a frame. `values` are one or, in a block, several; nothing for a value whose digits are not decimal.

    `text` are the digits, high first, or the characters of an item that is no number (date, address, model); `times` when
    demands were, `YYYY-MM-DD hh:mm`, empty where they never were.
    """

    di: str
    kind: Kind | None = None
    values: tuple[float | None, ...] = ()
    text: str = ""
    times: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def kind_of(di: str) -> Kind | None:
    """Return what a DI of eight digits (high first) names; nothing where it is unknown here."""
    single = SINGLE.get(di)
    if single is not None:
        return Kind(*single)
    if di in TEXTS:
        name, size, characters = TEXTS[di]
        return Kind(name, "", size, 0, signed=False, text=True, characters=characters)
    group, second, first, last = bytes.fromhex(di)
    if group == 0x00:
        return _energy(second, first, last)
    if group == 0x01:
        return _demand(second, first, last)
    if group == 0x05:
        return _freeze(second, first, last)
    if group == 0x02 and second in MEASURES and last == 0:
        name, unit, size, decimals, signed, total = MEASURES[second]
        if first == 0xFF:
            return Kind(name, unit, size, decimals, signed, block=True)
        if total and first == 0:
            return Kind(f"{name} total", unit, size, decimals, signed)
        if 1 <= first <= 3:
            return Kind(f"{name} {PHASES[first - 1]}", unit, size, decimals, signed)
    return None


def _energy(second: int, first: int, last: int) -> Kind | None:
    phase = ""
    if second not in ENERGIES:
        for place, base in enumerate((0x14, 0x28, 0x3C)):
            if second - base in PHASE_ENERGIES and second - base <= 10:
                second, phase = PHASE_ENERGIES[second - base], f" {PHASES[place]}"
                break
        else:
            return None
    if (last > 0x0C and last != 0xFF) or (first > 0x3F and first != 0xFF) or (first == last == 0xFF):
        return None
    name, unit, signed = ENERGIES[second]
    which = phase or (" total" if first == 0 else "" if first == 0xFF else f" tariff {first}")
    when = f" of settlement day {last} back" if last else ""
    if last == 0xFF:
        when = ", now and of settlement days back"
    return Kind(f"{name}{which}{when}", unit, 4, 2, signed, block=0xFF in (first, last))


def _demand(second: int, first: int, last: int) -> Kind | None:
    energy = _energy(second, first, last) if second else None
    if energy is None:
        return None
    unit = energy.unit.removesuffix("h")
    name = energy.name.replace("energy", "maximum demand", 1)
    return Kind(name, unit, 3, 4, energy.signed, block=energy.block, stamped=True)


def _freeze(second: int, first: int, last: int) -> Kind | None:
    if second not in FREEZES or not 1 <= last <= 0xFE:
        return None
    name = f"{FREEZES[second]} freeze {last} back"
    if first == 0:
        return Kind(f"{name}: time", "", STAMP, 0, signed=False, text=True)
    if 1 <= first <= 8:
        of, unit, signed = ENERGIES[first]
        return Kind(f"{name}: {of}", unit, 4, 2, signed, block=True)
    return None


def moment(packed: bytes) -> str:
    """Return a time of five bytes, minute first, as `YYYY-MM-DD hh:mm`; nothing where it is none (a demand that never was)."""
    digits = packed[::-1].hex()
    if not digits.isdigit():
        return ""
    year, month, day, hour, minute = (int(digits[at : at + 2]) for at in range(0, 10, 2))
    if not exists(2000 + year, month, day, hour, minute):
        return ""
    return f"20{digits[:2]}-{digits[2:4]}-{digits[4:6]} {digits[6:8]}:{digits[8:]}"


def characters(packed: bytes) -> str:
    """Return characters sent last one first, without what fills up."""
    return packed[::-1].decode("gb18030", "replace").strip("\0 ")


def number(packed: bytes, decimals: int, signed: bool) -> float | None:
    """Return a BCD number, low byte first; nothing where a digit is none."""
    negative = signed and packed[-1] & 0x80
    if negative:
        packed = packed[:-1] + bytes((packed[-1] & 0x7F,))
    digits = packed[::-1].hex()
    if not digits.isdigit():
        return None
    value = int(digits) / 10**decimals
    return -value if negative and value else value


def pack(value: float, kind: Kind) -> bytes:
    """Return the bytes of a value, low byte first. Raises ValueError where it does not fit."""
    digits = f"{round(abs(value) * 10**kind.decimals):0{kind.size * 2}d}"
    packed = bytearray(bytes.fromhex(digits)[::-1]) if len(digits) == kind.size * 2 else bytearray()
    if not packed or (value < 0 and not kind.signed) or (kind.signed and packed[-1] & 0x80):
        raise ValueError(f"{value} does not fit {kind.size * 2} digits")
    if value < 0:
        packed[-1] |= 0x80
    return bytes(packed)


def item_of(frame: Frame) -> Item | None:
    """Return the data item a frame asks for, brings or writes; nothing where its function has none."""
    if frame.abnormal or frame.function not in (frames.READ, frames.READ_ON, frames.WRITE, frames.PASSWORD):
        return None
    if len(frame.data) < 4:
        return None
    di = frame.data[3::-1].hex().upper()
    kind = kind_of(di)
    content = frame.data[4:]
    if kind is None or not frame.reply or frame.function not in (frames.READ, frames.READ_ON) or not content:
        return Item(di, kind)
    size = kind.size + STAMP if kind.stamped else kind.size
    if frame.function == frames.READ_ON and len(content) % size == 1:
        content = content[:-1]
    if len(content) % size or (len(content) != size and not kind.block):
        return Item(di, kind)
    if kind.text:
        return Item(di, kind, (), characters(content) if kind.characters else content[::-1].hex())
    parts = [content[place : place + size] for place in range(0, len(content), size)]
    values = tuple(number(part[: kind.size], kind.decimals, kind.signed) for part in parts)
    return Item(
        di, kind, values, "", tuple(moment(part[kind.size :]) for part in parts) if kind.stamped else ()
    )


def address_of(frame: Frame) -> str | None:
    """Return the address in the data of a frame that asks for, tells or sets one."""
    if (
        frame.function in (frames.READ_ADDRESS, frames.WRITE_ADDRESS)
        and len(frame.data) == 6
        and not frame.abnormal
    ):
        return frame.data[::-1].hex().upper()
    return None
