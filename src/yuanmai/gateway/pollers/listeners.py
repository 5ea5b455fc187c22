"""The pollers of a gateway: a bus for each address in the register, begun and ended with it."""

import asyncio

from yuanmai.devices.engine.registry import DeviceSpec, Registry
from yuanmai.gateway.hub import Hub, Listener
from yuanmai.gateway.options import Options
from yuanmai.gateway.orders import Order, Outcome
from yuanmai.gateway.pollers.bus import Bus, Device
from yuanmai.gateway.pollers.meters import ElectricityMeter, SupplyMeter
from yuanmai.gateway.pollers.modbus import ModbusDevice
from yuanmai.gateway.pollers.profile import place

PROTOCOLS = ("modbus", "dlt645", "cjt188")


class Pollers:
    """A listener of the gateway that asks instead of listening."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.buses: dict[tuple[str, int], Bus] = {}
        self._specs: dict[tuple[str, str], tuple[DeviceSpec, Device]] = {}
        self._running = False
        self._ending: set[asyncio.Task[None]] = set()
        hub.on_registry(self._registry)

    async def start(self) -> None:
        """Begin to ask every device of the register."""
        self._running = True
        for protocol in PROTOCOLS:
            self.hub.commands.register_all(protocol, self._send, self._reaches)
        self._registry(self.hub.registry)

    async def stop(self) -> None:
        """Ask no more."""
        self._running = False
        for protocol in PROTOCOLS:
            self.hub.commands.remove_all(protocol)
        await asyncio.gather(*(bus.stop() for bus in self.buses.values()), *self._ending)
        self.buses.clear()

    def _registry(self, registry: Registry) -> None:
        if not self._running:
            return
        wanted: dict[tuple[str, int], list[Device]] = {}
        specs: dict[tuple[str, str], tuple[DeviceSpec, Device]] = {}
        for spec in registry.devices.values():
            if spec.protocol not in PROTOCOLS:
                continue
            found = place(spec.key)
            if found is None:
                self.hub.count(spec.protocol, spec.key, "bad_key", spec.key)
                continue
            host, port, rest = found
            known = self._specs.get((spec.protocol, spec.key))
            if known is not None and known[0] == spec:
                device = known[1]
            else:
                made = make(self.hub, spec, rest)
                if made is None:
                    self.hub.count(spec.protocol, spec.key, "bad_key", spec.key)
                    continue
                device = made
            specs[spec.protocol, spec.key] = spec, device
            wanted.setdefault((host, port), []).append(device)
        self._specs = specs
        for address in self.buses.keys() - wanted.keys():
            bus = self.buses.pop(address)
            bus.put([])
            task = asyncio.create_task(bus.stop())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
        for address, devices in wanted.items():
            bus = self.buses.get(address) or self.buses.setdefault(address, Bus(self.hub, *address))
            new = not bus.devices
            bus.put(devices)
            if new:
                bus.start()
        self.hub.commands.version += 1

    def _found(self, device: DeviceSpec) -> tuple[Bus, Device] | None:
        known = self._specs.get((device.protocol, device.key))
        where = place(device.key)
        bus = self.buses.get(where[:2]) if where is not None else None
        return (bus, known[1]) if known is not None and bus is not None else None

    def _reaches(self, device: DeviceSpec) -> bool:
        found = self._found(device)
        return found is not None and found[0].connected

    async def _send(self, order: Order) -> Outcome:
        found = self._found(order.device)
        if found is None:
            return Outcome("queued", {"code": "disconnected"})
        bus, device = found
        return await bus.order(device, order)


def make(hub: Hub, spec: DeviceSpec, rest: str) -> Device | None:
    """Return what asks a device, or nothing where its key is none: a unit of 0 to 255, twelve or fourteen digits."""
    if spec.protocol == "modbus":
        return ModbusDevice(hub, spec, int(rest)) if rest.isdigit() and int(rest) < 256 else None
    if spec.protocol == "dlt645":
        return ElectricityMeter(hub, spec, rest.upper()) if _digits(rest, 12) else None
    return SupplyMeter(hub, spec, rest.upper()) if _digits(rest, 14) else None


def _digits(text: str, size: int) -> bool:
    return len(text) == size and all(sign in "0123456789ABCDEFabcdef" for sign in text)


def listeners(hub: Hub, options: Options) -> list[Listener]:
    """Return the pollers, unless `YUANMAI_GATEWAY_POLL` is `no`: of several gateways only one may ask a device."""
    return [] if options.environment.get("YUANMAI_GATEWAY_POLL") == "no" else [Pollers(hub)]
