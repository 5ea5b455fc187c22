"""HJ 212: real-time data, states of equipment, and the means of minutes, hours and days.

Addresses are `code-Field` for what is said of an instant, `code-Field@CN` for what is said of a period that begins at
DataTime. Values beside a data flag other than N are kept as the device says them, and marked.
"""

from dataclasses import dataclass, field
from typing import Any

from yuanmai.gateway.ingest.told import Odd, Told, beijing
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.hj212.frame import HEAD, STANDARD, Frame, Profile, decode, read
from yuanmai.protocols.hj212.messages import uploads_data

PERIODS = frozenset({"2031", "2041", "2051", "2061"})
# Fields of a factor that say something about its values, or when and with what they were taken.
MARKS = frozenset({"flag", "eflag", "sampletime", "sn", "info"})
UNFINISHED = 64  # records in packages that are remembered per station


@dataclass(slots=True)
class Station:
    """What is remembered of one station: when the record is that its packages belong to, and which of them have come."""

    times: dict[tuple[str, str], str] = field(default_factory=dict)
    packages: dict[tuple[str, str], set[int]] = field(default_factory=dict)

    def package(self, command: str, time: str, total: int, number: int) -> tuple[str, list[Odd]]:
        """Take in a package; return the time of its record, and what is missing of the one before."""
        odd: list[Odd] = []
        name = (command, str(total))
        before = self.times.get(name, "")
        time = time or before
        if time != before:
            had = self.packages.pop(name, set())
            if had and len(had) < int(name[1]):
                odd.append(Odd("package_missing", f"CN={command} DataTime={before}: {len(had)} of {total}"))
            while len(self.times) >= UNFINISHED:
                oldest = next(iter(self.times))
                del self.times[oldest]
                self.packages.pop(oldest, None)
            self.times[name] = time
        self.packages.setdefault(name, set()).add(number)
        return time, odd


def profile_of(given: Any) -> Profile:
    """Return the tolerance of a station by the profile in the register; what is no such value stands as in the standard."""
    crc, encoding = given.get("crc"), given.get("encoding")
    return Profile(
        crc=crc if crc in ("hj212", "modbus") else STANDARD.crc,
        encoding=encoding if isinstance(encoding, str) and encoding else STANDARD.encoding,
        stray_items="drop",
    )


def open_frame(raw: bytes, profile: Profile) -> Frame | Fault:
    """Return the frame in a record. Its length and checksum were looked at before it was written down."""
    digits = raw[2:HEAD]
    if raw[:2] == b"##" and len(digits) == 4 and digits.isdigit():
        end = HEAD + int(digits)
        if len(raw) >= end:
            return read(raw, raw[HEAD:end], "", profile)
    return decode(raw, profile)


KNOWN: dict[
    tuple[str, str, str], str
] = {}  # the last few thousand; stations send the same ones again and again
MOST_KNOWN = 8192


def _address(code: str, name: str, suffix: str) -> str:
    """Return the address of a field, nothing for one that is no value."""
    if len(KNOWN) >= MOST_KNOWN:
        KNOWN.clear()
    found = KNOWN[code, name, suffix] = "" if name.lower() in MARKS else f"{code}-{name}{suffix}"
    return found


def tell(raw: bytes, profile: Profile, station: Station) -> tuple[list[Told], list[Odd]]:
    """Return what a frame says and what is odd about it. A frame that carries no data says nothing."""
    frame = open_frame(raw, profile)
    if isinstance(frame, Fault):
        return [], [Odd(frame.reason, raw[:200].decode("ascii", "backslashreplace"))]
    odd = [Odd(kind, raw[:200].decode("ascii", "backslashreplace")) for kind in frame.odd]
    if not uploads_data(frame):
        return [], odd
    command = frame.get("CN")
    told = frame.params.get("DataTime", "")
    number = frame.number
    if number is not None:
        told, missing = station.package(command, told, *number)
        odd += missing
    time = beijing(told) if told else None
    if time is None:
        odd.append(Odd("clock_unreadable" if told else "no_time", told[:40]))
        time = beijing(frame.get("QN"))
    suffix = f"@{command}" if command in PERIODS else ""
    values: dict[str, Any] = {}
    flagged: list[str] = []
    items = 1 + len(frame.fields) + len(frame.params)  # CP has a sign of its own
    for code, fields in frame.factors.items():
        items += len(fields)
        flag = fields.get("Flag")
        if flag is None:
            flag = next((text for name, text in fields.items() if name.lower() == "flag"), "N")
        doubtful = flag not in ("N", "n", "")
        for name, text in fields.items():
            key = (code, name, suffix)
            address = KNOWN[key] if key in KNOWN else _address(*key)
            if not address:
                continue
            try:
                values[address] = float(text)
            except ValueError:
                values[address] = text
            if doubtful:
                flagged.append(address)
    if raw.count(b"=") > items and b"//" not in raw:
        odd.append(Odd("duplicate_factor", raw[:200].decode("ascii", "backslashreplace")))
    return ([Told(time, values, frozenset(flagged))] if values else []), odd
