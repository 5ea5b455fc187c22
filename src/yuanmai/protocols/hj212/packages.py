"""Records that come in several packages, and records that come twice."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from yuanmai.protocols.hj212.frame import Frame

# What makes a stored value unique; a station that missed our 9014 sends the same again.
DEDUPE_KEY = ("MN", "CN", "DataTime", "factor")
Key = tuple[str, str, str]


def record_key(frame: Frame) -> Key:
    """Return station, command number and time of the data: what packages of one record share (never the QN)."""
    return frame.get("MN"), frame.get("CN"), frame.params.get("DataTime", "")


@dataclass(slots=True)
class Record:
    """One record of a station out of one or several packages; every package counts at once, none waits for the others."""

    station: str
    command: str
    time: str
    total: int = 1
    numbers: set[int] = field(default_factory=set)
    params: dict[str, str] = field(default_factory=dict)
    factors: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every package has come."""
        return len(self.numbers) >= self.total

    @property
    def missing(self) -> list[int]:
        """The numbers of the packages that have not come."""
        return [number for number in range(1, min(self.total, 9999) + 1) if number not in self.numbers]

    def add(self, frame: Frame) -> None:
        """Take in a package: a factor that comes again is replaced field by field."""
        total, number = frame.number or (1, 1)
        self.total = max(self.total, total)
        self.numbers.add(number)
        self.params.update(frame.params)
        for code, values in frame.factors.items():
            self.factors.setdefault(code, {}).update(values)


def join(frames: Iterable[Frame]) -> list[Record]:
    """Return the records in these frames in the order of their first packages; packages may come in any order and twice."""
    records: dict[Key, Record] = {}
    for frame in frames:
        key = record_key(frame)
        if key not in records:
            records[key] = Record(*key)
        records[key].add(frame)
    return list(records.values())
