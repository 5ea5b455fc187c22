"""Modbus: points as registers, read together, written and read back."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from yuanmai.devices.engine.registry import DeviceSpec
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.hub import Hub
from yuanmai.gateway.mqtt.senders import point_of, raw_of, same
from yuanmai.gateway.orders import Order, Outcome, RefusedError
from yuanmai.gateway.pollers.bus import Bus, BusyError
from yuanmai.gateway.pollers.profile import asking, number
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.modbus import pdu, plan, values
from yuanmai.protocols.modbus.frame import Adu, RtuDecoder, TcpDecoder, encode_rtu, encode_tcp

TABLES = {
    "coil": pdu.READ_COILS, "discrete": pdu.READ_INPUTS, "holding": pdu.READ_HOLDING, "input": pdu.READ_INPUT_REGISTERS,
}  # fmt: skip
NO_SUCH = frozenset({2, 3})  # address, value: something in the span does not exist


@dataclass(frozen=True, slots=True)
class Place:
    """Where a point stands: `holding:100:float32:CDAB`. Bits have no kind; `bool` of a register is whether it is not 0."""

    table: str
    address: int
    kind: str
    order: str

    @property
    def count(self) -> int:
        """Registers or bits."""
        return 1 if self.kind == "bool" else values.registers_of(self.kind)

    def value(self, found: Sequence[int]) -> int | float | None:
        """Return the number in what was read; nothing for one that is none."""
        if self.kind == "bool":
            return int(bool(found[0]))
        number = values.unpack(found, self.kind, self.order)
        return number if math.isfinite(number) else None


def place_of(address: str, order: str = "ABCD") -> Place:
    """Return where an address points. Raises ValueError."""
    table, _colon, rest = address.partition(":")
    parts = rest.split(":")
    if table not in TABLES or not parts[0].isdigit() or len(parts) > 3:
        raise ValueError(f"no address of Modbus: {address}")
    bits = table in ("coil", "discrete")
    kind = "bool" if bits else parts[1] if len(parts) > 1 else "uint16"
    found = Place(table, int(parts[0]), kind, parts[2] if len(parts) > 2 else order)
    if (found.kind != "bool" and found.kind not in values.KINDS) or found.order not in values.ORDERS:
        raise ValueError(f"no address of Modbus: {address}")
    if found.address + found.count > 0x10000:
        raise ValueError(f"addresses end at 65535: {address}")
    return found


class ModbusDevice:
    """A unit behind a gateway. Profile: interval, timeout, retries, order, gap, most, transport (`tcp`, `rtu`), echo, write (`many`)."""

    protocol = "modbus"

    def __init__(self, hub: Hub, device: DeviceSpec, unit: int) -> None:
        self.hub, self.device, self.unit = hub, device, unit
        self.key = device.key
        profile = device.profile
        self.asking = asking(self.protocol, profile)
        self.interval = self.asking.interval
        self.rtu = profile.get("transport") == "rtu"
        told = profile.get("order")
        self.order = told if isinstance(told, str) and told in values.ORDERS else "ABCD"
        self.places: dict[str, Place] = {}
        for address in device.points:
            try:
                self.places[address] = place_of(address, self.order)
            except ValueError as error:
                hub.count(self.protocol, self.key, "bad_address", str(error))
        spans = [
            plan.Span(address, unit, TABLES[spot.table], spot.address, spot.count)
            for address, spot in self.places.items()
        ]
        gap, most = int(number(profile, "gap", 0, 125, 0)), int(number(profile, "most", 0, 2000, 0))
        try:
            self.readings = plan.coalesce(spans, gap, most)
        except ValueError:  # `most` is smaller than one of the numbers
            self.readings = plan.coalesce(spans, gap)
        self.transaction = 0

    async def poll(self, bus: Bus) -> bool:
        """Read all points once; one record of what could be read."""
        found: dict[str, Any] = {}
        answered = not self.readings
        readings = list(self.readings)
        while readings:
            reading = readings.pop(0)
            request = pdu.Request(reading.function, reading.address, reading.count)
            told = await self._ask(bus, request)
            if told is None:
                if not answered:
                    return False  # it is not there: the other requests would take as long
                continue
            answered = True
            if isinstance(told, pdu.Refusal):
                if told.code in pdu.BACK_OFF:
                    self._record(found)
                    raise BusyError(told.name)
                readings = self._refused(reading, told) + readings
                continue
            for address, part in reading.split(told.values).items():
                found[address] = self.places[address].value(part)
        self._record(found)
        return answered

    def _refused(self, reading: plan.Reading, told: pdu.Refusal) -> list[plan.Reading]:
        """Return what to ask instead: one value that does not exist must not hide those beside it."""
        if told.code in NO_SUCH and len(reading.spans) > 1:
            parts = [part for span in reading.spans for part in plan.coalesce([span])]
            place = self.readings.index(reading)
            self.readings[place : place + 1] = parts
            return parts
        for span in reading.spans:
            self.hub.count(self.protocol, self.key, f"refused_{told.name}", span.key)
        return []

    def _record(self, found: dict[str, Any]) -> None:
        if found:
            self.hub.record(Kind.MODBUS, self.key, json.dumps(found, separators=(",", ":")).encode())

    async def _ask(
        self, bus: Bus, request: pdu.Request, order: Order | None = None
    ) -> pdu.Answer | pdu.Refusal | None:
        """Send a request until it is answered, at most `retries` times more."""
        packed = pdu.encode(request)
        for _attempt in range(1 + self.asking.retries):
            self.transaction = self.transaction % 0xFFFF + 1
            codec: RtuDecoder | TcpDecoder
            if self.rtu:
                frame = encode_rtu(self.unit, packed)
                codec = RtuDecoder()
                if self.asking.echo:
                    codec.expect_echo(frame)
            else:
                frame, codec = encode_tcp(self.transaction, self.unit, packed), TcpDecoder()
            if order is not None:
                order.sent(data=frame)
            accept = partial(self._accept, request, -1 if self.rtu else self.transaction, order)
            told: pdu.Answer | pdu.Refusal | None
            told = await bus.exchange(frame, codec, accept, self.asking.timeout, self._odd)
            if told is not None:
                return told
            if self.rtu:
                await (
                    bus.renew()
                )  # RTU numbers nothing: a late answer would pass for that to the next question
        return None

    def _accept(
        self, request: pdu.Request, transaction: int, order: Order | None, adu: Adu
    ) -> pdu.Answer | pdu.Refusal | None:
        if adu.transaction != transaction or adu.unit != self.unit:
            self.hub.count(self.protocol, self.key, "late_answer", adu.raw[:60].hex())
            return None
        told = pdu.decode(request, adu.pdu)
        if isinstance(told, Fault):
            self._odd(told)
            return None
        if order is not None:
            order.heard(data=adu.raw)
        return told

    def _odd(self, fault: Fault) -> None:
        self.hub.count(self.protocol, self.key, fault.reason, fault.raw[:60].hex())

    # --- commands -----------------------------------------------------------------------------------------------------------

    async def send(self, bus: Bus, order: Order) -> Outcome:
        """Write a point and read it back."""
        if order.verb != "write":
            raise RefusedError("unknown_verb", order.verb)
        point = point_of(self.device, str(order.parameters.get("point", "")))
        wanted = raw_of(point, order.parameters.get("value"))
        spot = self.places.get(point.address)
        if spot is None or spot.table not in ("coil", "holding"):
            raise RefusedError("not_writable", point.address)
        request = self._writing(spot, wanted)
        told = await self._ask(bus, request, order)
        if told is None:
            return Outcome("timed_out", {"code": "no_answer"})
        if isinstance(told, pdu.Refusal):
            return Outcome("failed", {"code": told.name})
        back = await self._ask(bus, pdu.Request(TABLES[spot.table], spot.address, spot.count), order)
        if not isinstance(back, pdu.Answer):
            return Outcome("done", {"code": "not_read_back"})
        value = spot.value(back.values)
        self._record({point.address: value})
        if not same(value, wanted):
            return Outcome("failed", {"code": "read_back_differs", "values": {point.address: value}})
        return Outcome("done", {"code": "ok", "values": {point.address: value}})

    def _writing(self, spot: Place, wanted: float) -> pdu.Request:
        if spot.table == "coil":
            return pdu.Request(pdu.WRITE_COIL, spot.address, 1, (bool(wanted),))
        if spot.kind == "bool":
            registers = [int(bool(wanted))]
        else:
            whole = not spot.kind.startswith("float")
            if whole and wanted != int(wanted):
                raise RefusedError("bad_parameters", f"{wanted} is no whole number")
            try:
                registers = values.pack(int(wanted) if whole else wanted, spot.kind, spot.order)
            except ValueError as error:
                raise RefusedError("bad_parameters", str(error)) from None
        if len(registers) == 1 and self.device.profile.get("write") != "many":
            return pdu.Request(pdu.WRITE_REGISTER, spot.address, 1, (registers[0],))
        return pdu.Request(pdu.WRITE_REGISTERS, spot.address, len(registers), tuple(registers))
