"""Parts that stand in the bodies of a few messages only: positions, batches, parameters, controls, missing packages."""

from dataclasses import dataclass

from yuanmai.protocols.jt808 import location as positions
from yuanmai.protocols.jt808.layout import Body, Numbers, Reader
from yuanmai.protocols.jt808.location import Location


@dataclass(frozen=True, slots=True)
class Position:
    """A position with its items up to the end, or the 28 bytes of one without (in media)."""

    name: str
    basic: bool = False

    def read(self, source: Reader, body: Body) -> None:
        body[self.name] = positions.decode(source.take(28) if self.basic else source.rest())

    def write(self, body: Body, _standard: int) -> bytes:
        return positions.encode(body[self.name])


@dataclass(frozen=True, slots=True)
class Batch:
    """Counted positions, each after its length. Where fewer come than announced, those that came are kept."""

    name: str

    def read(self, source: Reader, body: Body) -> None:
        count = source.number(2)
        body["count"], body["type"] = count, source.number(1)
        found: list[Location] = []
        body[self.name] = found
        for _number in range(count):
            if source.left < 2:
                break
            size = int.from_bytes(source.data[source.place : source.place + 2], "big")
            if size < 28 or source.left < 2 + size:
                break
            source.place += 2
            found.append(positions.decode(source.take(size)))

    def write(self, body: Body, _standard: int) -> bytes:
        packed = [positions.encode(entry) for entry in body[self.name]]
        head = len(packed).to_bytes(2, "big") + bytes((body["type"],))
        return head + b"".join(len(entry).to_bytes(2, "big") + entry for entry in packed)


@dataclass(frozen=True, slots=True)
class Controls:
    """What a vehicle is to do (2019). Doors (0001) take a byte; where another number stands the bytes stay as they are."""

    name: str

    def read(self, source: Reader, body: Body) -> None:
        count = source.number(2)
        body["count"] = count
        rest = source.rest()
        pairs = [(rest[place : place + 2], rest[place + 2]) for place in range(0, len(rest) - 2, 3)]
        if len(rest) == count * 3 and all(number == b"\0\1" for number, _value in pairs):
            body[self.name] = [{"id": 1, "value": value} for _number, value in pairs]
        else:
            body[f"{self.name}_hex"] = rest.hex()

    def write(self, body: Body, _standard: int) -> bytes:
        if self.name not in body:
            return int(body["count"]).to_bytes(2, "big") + bytes.fromhex(body[f"{self.name}_hex"])
        packed = [int(entry["id"]).to_bytes(2, "big") + bytes((entry["value"],)) for entry in body[self.name]]
        return len(packed).to_bytes(2, "big") + b"".join(packed)


@dataclass(frozen=True, slots=True)
class Missing:
    """The numbers of missing packages; none at all, and no count either, says that the media is complete."""

    name: str

    def read(self, source: Reader, body: Body) -> None:
        body[self.name] = []
        if source.left:
            Numbers(self.name, 2, 1).read(source, body)

    def write(self, body: Body, standard: int) -> bytes:
        return Numbers(self.name, 2, 1).write(body, standard) if body.get(self.name) else b""


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """Number of a parameter (0x0001), length and value."""

    def read(self, source: Reader, body: Body) -> None:
        body["id"] = f"0x{source.number(4):04X}"
        body["value_hex"] = source.take(source.number(1)).hex()

    def write(self, body: Body, _standard: int) -> bytes:
        value = bytes.fromhex(body["value_hex"])
        return int(body["id"], 16).to_bytes(4, "big") + bytes((len(value),)) + value
