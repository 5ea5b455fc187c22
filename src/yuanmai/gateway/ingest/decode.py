"""From records of a journal to readings, states, oddities. Nothing here raises: what cannot be read is counted."""

import json
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from yuanmai.devices.engine.mapping import Mappings
from yuanmai.devices.engine.quality import FLAGGED
from yuanmai.devices.store.records import Kind, Record
from yuanmai.gateway.ingest import hj212, jt808, meters, sparkplug
from yuanmai.gateway.ingest.batch import Batch, Table
from yuanmai.gateway.ingest.presence import Presence
from yuanmai.gateway.ingest.slots import NOWHERE, Plan, Slots
from yuanmai.gateway.ingest.tally import Tally
from yuanmai.gateway.ingest.told import Odd, Told
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.jt808.packages import Assembler

logger = logging.getLogger(__name__)

PROTOCOLS = {
    Kind.HJ212: "hj212", Kind.JT808: "jt808", Kind.MQTT: "mqtt", Kind.SPARKPLUG: "sparkplug",
    Kind.MODBUS: "modbus", Kind.DLT645: "dlt645", Kind.CJT188: "cjt188",
}  # fmt: skip
SAMPLE_EVERY = 5_000_000  # µs between two samples of one unknown device
STRANGE = 60  # addresses without a point that are remembered per device


def readable(record: Record) -> str:
    """Return the beginning of what somebody says as people can read it: text as text, all else as hexadecimal digits."""
    head, body = "", record.payload
    if record.kind in (Kind.MQTT, Kind.SPARKPLUG):
        end = 2 + int.from_bytes(body[:2], "big")
        head, body = f"{body[2:end].decode('utf-8', 'replace')} ", body[end:]
    text = body[:300].decode("utf-8", "replace")
    # A character may be cut at the end; any other that is none says that this is no text.
    if (
        not text.rstrip("\ufffd").replace("\r", "").replace("\n", "").replace("\t", "").isprintable()
        or "\ufffd" in text[:-3]
    ):
        text = body[:100].hex(" ")
    return head + text


class Decoder:
    """Reads records one after the other into a batch; keeps what later records need of earlier ones."""

    def __init__(self, slots: Slots, tally: Tally | None = None) -> None:
        self.slots = slots
        self.tally = tally or Tally()
        self.presence = Presence(slots)
        self.batch = Batch()
        self.stations: dict[str, hj212.Station] = {}
        self.parts: dict[str, Assembler] = {}
        self.nodes = sparkplug.Nodes()
        self.mappings = Mappings(slots.registry)
        self.only: frozenset[int] | None = None  # numbers of devices: all others are passed over (adoption)
        self._stream, self._record, self._fresh = "", Record(0, 0, 0, "", b""), True
        self._readers: dict[int, Callable[[Record], None]] = {
            Kind.HJ212: self._hj212, Kind.JT808: self._jt808, Kind.MQTT: self._mqtt, Kind.SPARKPLUG: self._sparkplug,
            Kind.MODBUS: self._meter, Kind.DLT645: self._meter, Kind.CJT188: self._meter,
            Kind.READINGS: self._readings, Kind.CONNECTED: self._connected, Kind.DISCONNECTED: self._connected,
            Kind.ODD: self._odd,
        }  # fmt: skip

    def reload(self, slots: Slots) -> None:
        """Take another version of the register."""
        self.presence = self.presence.moved(slots)
        self.slots = slots
        self.mappings = Mappings(slots.registry)

    def take(self, stream: str, record: Record, fresh: bool = True) -> None:
        """Read one record. `fresh`: its readings are not in the lake yet."""
        self._stream, self._record, self._fresh = stream, record, fresh
        reader = self._readers.get(record.kind)
        if reader is None:
            return
        place = len(self.batch.slots), len(self.batch.counts), len(self.batch.flags), len(self.batch.tables)
        try:
            reader(record)
        except Exception as error:  # a journal must never stand still for one record
            self._withdraw(*place)
            logger.exception("a record cannot be read: %s %s %s", stream, record.sequence, record.key)
            plan = self.slots.by_key.get((PROTOCOLS.get(record.kind, ""), record.key))  # type: ignore[call-overload]
            if plan is not None:
                self._count(plan, Odd("decoder", f"{type(error).__name__}: {error}"))

    def _withdraw(self, values: int, groups: int, flags: int, tables: int) -> None:
        batch = self.batch
        del batch.slots[values:], batch.values[values:], batch.flags[flags:], batch.tables[tables:]
        for column in (batch.counts, batch.times, batch.received, batch.sequences, batch.fresh):
            del column[groups:]

    # --- what a device says ---------------------------------------------------------------------------------------------

    def _plan(self, protocol: str, key: str) -> Plan | None:
        plan = self.slots.by_key.get((protocol, key))
        if plan is not None and self.only is not None and plan.device.number not in self.only:
            return None
        return plan

    def _count(self, plan: Plan, odd: Odd) -> None:
        self.tally.add(plan.device.number, odd.kind, self._record.received, odd.sample)

    def _tell(self, plan: Plan, told: list[Told], odd: list[Odd]) -> None:
        """Put what a device says into the batch."""
        record, batch = self._record, self.batch
        self.presence.heard(plan.index, record.received)
        slots, values = batch.slots, batch.values
        known, find = plan.slots, plan.find
        for said in told:
            before = len(slots)
            flagged = said.flagged
            for address, value in said.values.items():
                found = known.get(address)
                if found is None:
                    found = find(address)
                    if found is None:
                        self._unmapped(plan, address, value)
                        continue
                for slot in found:
                    if flagged and address in flagged:
                        batch.flags.append((len(slots), FLAGGED))
                    slots.append(slot)
                    values.append(value)
            time = record.received if said.time is None else said.time
            batch.group(len(slots) - before, time, record.received, record.sequence, self._fresh)
        for one in odd:
            self._count(plan, one)

    def _unmapped(self, plan: Plan, address: str, value: Any) -> None:
        """Count a value that no point takes. What is no single value names itself, too."""
        if len(plan.strange) < STRANGE or address in plan.strange:
            plan.strange[address] = value
        sample = "; ".join(f"{name}={str(last)[:40]}" for name, last in plan.strange.items())
        self.tally.add(plan.device.number, "unmapped", self._record.received, sample)

    def _unknown(
        self, protocol: str, key: str, told: list[Told] | None = None, odd: list[Odd] | None = None
    ) -> bool:
        """Note somebody who is in no register; return whether a new sample of what it says is wanted."""
        if self.only is not None:
            return False
        record = self._record
        found = self.tally.stranger((protocol, key), self._stream, record.sequence, record.received)
        if found is None:
            return False
        if told is None:
            return record.received - found.sampled >= SAMPLE_EVERY
        found.sampled = record.received
        values = {address: value for said in told for address, value in said.values.items()}
        text = readable(record)
        if values or not found.sample:
            shown = {address: _plain(value) for address, value in list(values.items())[:100]}
            found.sample = {"addresses": shown, "text": text, "odd": [one.kind for one in odd or []][:10]}
        return False

    def _hj212(self, record: Record) -> None:
        plan = self._plan("hj212", record.key)
        if plan is None:
            if self._unknown("hj212", record.key):
                self._resample("hj212", *hj212.tell(record.payload, hj212.profile_of({}), hj212.Station()))
            return
        profile = plan.notes.get("hj212")
        if profile is None:
            profile = plan.notes["hj212"] = hj212.profile_of(plan.device.profile)
        station = self.stations.get(record.key)
        if station is None:
            station = self.stations[record.key] = hj212.Station()
        self._tell(plan, *hj212.tell(record.payload, profile, station))

    def _resample(self, protocol: str, told: list[Told], odd: list[Odd]) -> None:
        self.tally.strangers[protocol, self._record.key].frames -= 1
        self._unknown(protocol, self._record.key, told, odd)

    def _jt808(self, record: Record) -> None:
        plan = self._plan("jt808", record.key)
        if plan is None:
            if self._unknown("jt808", record.key):
                told, _place, odd = jt808.tell(record.payload, jt808.BASIC, Assembler())
                self._resample("jt808", told, odd)
            return
        wanted = plan.notes.get("jt808")
        if wanted is None:
            wanted = plan.notes["jt808"] = frozenset(name for name in plan.slots if name in jt808.BASIC)
        parts = self.parts.get(record.key)
        if parts is None:
            parts = self.parts[record.key] = Assembler()
        told, place, odd = jt808.tell(record.payload, wanted, parts)
        self._tell(plan, told, odd)
        if place is not None and self._plausible(place.time):
            self.presence.placed(plan.index, place)

    def _plausible(self, time: int) -> bool:
        return (
            abs(self._record.received - time) < 86_400_000_000 and time - self._record.received < 300_000_000
        )

    def _topic(self, payload: bytes) -> tuple[str, bytes]:
        size = int.from_bytes(payload[:2], "big")
        return payload[2 : 2 + size].decode("utf-8", "backslashreplace"), payload[2 + size :]

    def _mqtt(self, record: Record) -> None:
        topic, body = self._topic(record.payload)
        found = self.mappings.read(topic, body, record.key)
        if isinstance(found, Fault):
            plan = self._plan("mqtt", record.key)
            if plan is not None:
                self._tell(
                    plan, [], [Odd(found.reason, f"{topic} {body[:200].decode('utf-8', 'backslashreplace')}")]
                )
            elif self._unknown("mqtt", record.key or topic):
                self._unknown("mqtt", record.key or topic, [], [Odd(found.reason)])
            return
        for reading in found:
            key = reading.key or topic
            plan = self._plan("mqtt", key)
            told = [Told(reading.time, reading.values)]
            odd = [Odd(reading.odd, topic)] if reading.odd else []
            if plan is not None:
                self._tell(plan, told, odd)
            elif self._unknown("mqtt", key):
                self.tally.strangers["mqtt", key].frames -= 1
                self._unknown("mqtt", key, told, odd)

    def _sparkplug(self, record: Record) -> None:
        topic, body = self._topic(record.payload)
        heard = sparkplug.tell(topic, body, self.nodes)
        if not heard.device:
            return
        plan = self._plan("sparkplug", heard.device)
        if plan is None:
            if self._unknown("sparkplug", heard.device):
                self.tally.strangers["sparkplug", heard.device].frames -= 1
                self._unknown("sparkplug", heard.device, heard.told, heard.odd)
        else:
            self._tell(plan, heard.told, heard.odd)
        if heard.alive is False:
            self.presence.settle()
            for key in (heard.device, *heard.gone):
                gone = self._plan("sparkplug", key)
                if gone is not None:
                    self.presence.turn(gone.index, False, record.received)

    def _meter(self, record: Record) -> None:
        protocol = PROTOCOLS[Kind(record.kind)]
        read = {"modbus": meters.modbus, "dlt645": meters.electricity, "cjt188": meters.supply}[protocol]
        plan = self._plan(protocol, record.key)
        if plan is not None:
            self._tell(plan, *read(record.payload))
        elif self._unknown(protocol, record.key):
            self._resample(protocol, *read(record.payload))

    # --- what is no frame of a device -----------------------------------------------------------------------------------

    def _readings(self, record: Record) -> None:
        if self.only is not None:
            return
        with pa.ipc.open_stream(record.payload) as stream:
            table = stream.read_all()
        value = table["value"].to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
        point = table["point"].to_numpy().astype(np.int32, copy=False)
        time = table["time"].cast(pa.int64()).to_numpy().astype(np.int64, copy=False)
        quality = table["quality"].to_numpy().astype(np.int16, copy=False)
        self.batch.tables.append(
            Table(point, time, value, quality, record.received, record.sequence, self._fresh)
        )
        owners = self.slots.owner[self.slots.of_points(point)]
        for index in np.unique(owners[owners >= 0]).tolist():
            self.presence.heard(index, record.received)

    def _told(self, record: Record) -> tuple[Plan | None, dict[str, Any]]:
        protocol, _colon, key = record.key.partition(":")
        found = json.loads(record.payload)
        return self._plan(protocol, key), found if isinstance(found, dict) else {}

    def _connected(self, record: Record) -> None:
        plan, told = self._told(record)
        if plan is None:
            protocol, _colon, key = record.key.partition(":")
            stranger = self.tally.strangers.get((protocol, key))
            if stranger is not None:
                stranger.address = str(told.get("address", ""))[:80]
            return
        note = self.presence.connected if record.kind == Kind.CONNECTED else self.presence.disconnected
        note(plan.index, record.received, str(told.get("address", "")), str(told.get("gateway", "")))

    def _odd(self, record: Record) -> None:
        plan, told = self._told(record)
        if plan is not None:
            count = told.get("count", 1)
            self.tally.add(
                plan.device.number, str(told.get("kind", "odd")), record.received, str(told.get("sample", "")),
                count if isinstance(count, int) and count > 0 else 1,
            )  # fmt: skip
            return
        protocol, _colon, key = record.key.partition(":")
        if key and self._unknown(protocol, key):
            self.tally.strangers[protocol, key].frames -= 1
            self._unknown(protocol, key, [], [Odd(str(told.get("kind", "odd")))])


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it."""
    if isinstance(value, float) and value - value != 0:
        return str(value)
    if isinstance(value, int) and abs(value) > 1 << 53:
        return str(value)
    return value if isinstance(value, int | float | bool) or value is None else str(value)[:80]


__all__ = ["NOWHERE", "Decoder"]
