"""What is to be read, joined into as few requests as Modbus allows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from yuanmai.protocols.modbus.pdu import MOST, READS


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring bits or registers of one device that are read with one function and belong to `key` (a point, say)."""

    key: str
    unit: int
    function: int
    address: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class Reading:
    """One request and the spans it brings."""

    unit: int
    function: int
    address: int
    count: int
    spans: tuple[Span, ...]

    def split(self, values: Sequence[int]) -> dict[str, Sequence[int]]:
        """Return the values of each key out of those of the answer. Raises ValueError where the answer has another number."""
        if len(values) != self.count:
            raise ValueError(f"{self.count} values were asked for, not {len(values)}")
        return {
            span.key: values[span.address - self.address : span.address - self.address + span.count]
            for span in self.spans
        }


def coalesce(spans: Iterable[Span], gap: int = 0, most: int = 0) -> list[Reading]:
    """Return the requests that read all spans, each span whole in one of them, ordered by unit, function and address.

    Spans that touch or overlap, or lie up to `gap` values apart, share a request of at most `most` values (never more than 125
    registers or 2,000 bits, which are meant by 0). What lies in a gap is read in vain; devices that refuse addresses they do not
    have want a gap of 0. Raises ValueError for a span that no request can read.
    """
    found: list[Reading] = []
    for span in sorted(spans, key=lambda entry: (entry.unit, entry.function, entry.address, entry.count)):
        if span.function not in READS or not 0 <= span.address <= 0x10000 - span.count:
            raise ValueError(f"{span.key}: no values to read at {span.address} by function {span.function}")
        limit = min(most or 0x10000, MOST[span.function])
        if not 1 <= span.count <= limit:
            raise ValueError(f"{span.key}: 1 to {limit} values in one request, not {span.count}")
        last = found[-1] if found else None
        if last is not None and (last.unit, last.function) == (span.unit, span.function):
            end = max(last.address + last.count, span.address + span.count)
            if span.address - last.address - last.count <= gap and end - last.address <= limit:
                found[-1] = Reading(
                    last.unit, last.function, last.address, end - last.address, (*last.spans, span)
                )
                continue
        found.append(Reading(span.unit, span.function, span.address, span.count, (span,)))
    return found
