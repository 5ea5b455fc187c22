"""Meters on a bus behind a serial server: electricity (DL/T 645), water, gas and heat (CJ/T 188)."""

from collections.abc import Iterable

from yuanmai.devices.engine.registry import DeviceSpec
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.hub import Hub
from yuanmai.gateway.orders import Order, Outcome, RefusedError
from yuanmai.gateway.pollers.bus import Bus
from yuanmai.gateway.pollers.profile import asking
from yuanmai.protocols.cjt188 import frame as cjt188
from yuanmai.protocols.cjt188.reading import data_item
from yuanmai.protocols.dlt645 import frame as dlt645
from yuanmai.protocols.dlt645.items import MEASURES
from yuanmai.protocols.faults import Fault

MOST_FOLLOWING = 255
BLOCK = "FF"


class Meter:
    """What all meters on a bus have in common."""

    protocol = ""
    kind = Kind.DLT645

    def __init__(self, hub: Hub, device: DeviceSpec, address: str) -> None:
        self.hub, self.device, self.address = hub, device, address
        self.key = device.key
        self.asking = asking(self.protocol, device.profile)
        self.interval = self.asking.interval

    async def send(self, _bus: Bus, order: Order) -> Outcome:
        """Meters are only read."""
        raise RefusedError("unknown_verb", order.verb)

    def odd(self, fault: Fault) -> None:
        """Count bytes that are no frame."""
        self.hub.count(self.protocol, self.key, fault.reason, fault.raw[:80].hex())

    def record(self, raw: bytes) -> None:
        """Hand an answer to the journal."""
        self.hub.record(self.kind, self.key, raw)


class ElectricityMeter(Meter):
    """A meter of DL/T 645-2007. Profile: interval, timeout, retries, preamble, `blocks` (ask for FF blocks where they save requests)."""

    protocol = "dlt645"
    kind = Kind.DLT645

    def __init__(self, hub: Hub, device: DeviceSpec, address: str) -> None:
        super().__init__(hub, device, address)
        wanted = [item for item in device.points if len(item) == 8]
        self.items = blocks(wanted) if device.profile.get("blocks") else wanted

    async def poll(self, bus: Bus) -> bool:
        """Ask for one item after the other; what the meter does not have is not asked again until the register changes."""
        answered = not self.items
        for item in list(self.items):
            told = await self._ask(
                bus, dlt645.read(self.address, item, self.asking.preamble), item, dlt645.READ
            )
            if told is None:
                if not answered:
                    return False
                continue
            answered = True
            self.record(told.raw)
            if told.abnormal:
                if "no_such_data" in told.errors:
                    self.items.remove(item)
                continue
            number = 1
            while told is not None and told.follow and number <= MOST_FOLLOWING:
                request = dlt645.read_on(self.address, item, number, self.asking.preamble)
                told = await self._ask(bus, request, item, dlt645.READ_ON)
                if told is not None:
                    self.record(told.raw)
                    if told.abnormal:
                        break
                number += 1
        return answered

    async def _ask(self, bus: Bus, request: bytes, item: str, function: int) -> dlt645.Frame | None:
        named = bytes.fromhex(item)[::-1]

        def accept(frame: dlt645.Frame) -> dlt645.Frame | None:
            if not frame.reply:
                return None  # our own request, returned by the bus
            if frame.address != self.address or frame.function != function:
                self.hub.count(self.protocol, self.key, "late_answer", frame.raw[:60].hex())
                return None
            if not frame.abnormal and frame.data[:4] != named:
                self.hub.count(self.protocol, self.key, "late_answer", frame.raw[:60].hex())
                return None
            return frame

        for _attempt in range(1 + self.asking.retries):
            told = await bus.exchange(request, dlt645.Decoder(), accept, self.asking.timeout, self.odd)
            if told is not None:
                return told
        return None


def blocks(items: Iterable[str]) -> list[str]:
    """Return the items with those that one block brings (02 01 FF 00: the voltages of all phases) put together."""
    found: dict[str, list[str]] = {}
    for item in items:
        measured = (
            item[:2] == "02"
            and int(item[2:4], 16) in MEASURES
            and item[6:] == "00"
            and item[4:6] in ("00", "01", "02", "03")
        )
        found.setdefault(f"{item[:4]}{BLOCK}{item[6:]}" if measured else item, []).append(item)
    return [block if len(inside) > 1 else inside[0] for block, inside in found.items()]


class SupplyMeter(Meter):
    """A meter of CJ/T 188. Profile: `kind` (type in hexadecimal, 10 where missing), interval, timeout, retries, preamble, `di_first`
    (`low` or `high`: which byte of the data item is sent first; found out where missing).
    """

    protocol = "cjt188"
    kind = Kind.CJT188

    def __init__(self, hub: Hub, device: DeviceSpec, address: str) -> None:
        super().__init__(hub, device, address)
        told = str(device.profile.get("kind", "10"))
        try:
            self.type = int(told, 16) & 0xFF
        except ValueError:
            self.type = 0x10
            hub.count(self.protocol, self.key, "bad_profile", f"kind: {told}")
        first = device.profile.get("di_first")
        self.orders = [first == "low"] if first in ("low", "high") else [True, False]
        self.serial = 0

    async def poll(self, bus: Bus) -> bool:
        """Ask for the reading. Makers differ in the order of the data item's bytes: the one that is answered is kept to."""
        for _attempt in range(1 + self.asking.retries):
            for low_first in list(self.orders):
                self.serial = (self.serial + 1) & 0xFF
                request = cjt188.read(
                    self.type, self.address, self.serial, low_first=low_first, preamble=self.asking.preamble
                )
                told = await bus.exchange(
                    request, cjt188.Decoder(), self._accept, self.asking.timeout, self.odd
                )
                if told is None:
                    continue
                if told.abnormal and len(self.orders) > 1:
                    continue  # perhaps it wants the other order
                self.orders = [low_first]
                self.record(told.raw)
                return True
        return False

    def _accept(self, frame: cjt188.Frame) -> cjt188.Frame | None:
        if not frame.reply:
            return None
        named = data_item(frame)
        if frame.address != self.address or (
            not frame.abnormal and (named is None or named[2] != self.serial)
        ):
            self.hub.count(self.protocol, self.key, "late_answer", frame.raw[:60].hex())
            return None
        return frame
