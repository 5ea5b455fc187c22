"""Commands to devices that speak JSON over MQTT.

`write` goes out as `{"<address>": value, "id": "<uid>"}` to the topic on which the device hears. It is done when the device answers
(a message on its answer topic that brings the `id` back, or none at all), or when its readings show the new value; refused when the
answer says so. A device that only takes the message (PUBACK) and says nothing has been `delivered` to (behind a broker: `handed_to_broker`),
unless its profile has an answer topic (`answers`): then it has not answered in time.
"""

import asyncio
import contextlib
import json
import math
from collections.abc import Mapping
from typing import Any

from yuanmai.devices.engine.mapping import Mappings
from yuanmai.devices.engine.registry import DeviceSpec, PointSpec
from yuanmai.devices.engine.topics import answer_topics, command_topics, filter_of, topics_of
from yuanmai.gateway.hub import Hub
from yuanmai.gateway.mqtt.link import Link
from yuanmai.gateway.orders import Order, Outcome, RefusedError
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.mqtt.packets import Publish

TIMEOUT, RESENDS = 10.0, 1  # unless the profile says otherwise


def point_of(device: DeviceSpec, code: str) -> PointSpec:
    """Return a point by its code. Raises RefusedError where the device has none."""
    for points in device.points.values():
        for point in points:
            if point.code == code:
                return point
    raise RefusedError("unknown_point", code)


def raw_of(point: PointSpec, value: Any) -> float:
    """Return what the device is told for a value in the unit of the point. Raises RefusedError for what is no number."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or not point.scale
    ):
        raise RefusedError("bad_parameters", f"{value!r}")
    raw = (value - point.offset) / point.scale
    near = round(raw)
    return near if abs(raw - near) < 1e-9 * max(1.0, abs(raw)) else raw


def same(told: Any, wanted: float) -> bool:
    """Return whether a value that a device tells is the one that was wanted."""
    if isinstance(told, str):
        try:
            told = float(told)
        except ValueError:
            return False
    return isinstance(told, int | float) and math.isclose(told, wanted, rel_tol=1e-5, abs_tol=1e-6)


def seconds(profile: Mapping[str, Any], otherwise: float = TIMEOUT) -> float:
    """Return the time-out of a profile."""
    told = profile.get("timeout")
    return float(told) if isinstance(told, int | float) and 0 < told <= 3600 else otherwise


def times(profile: Mapping[str, Any], otherwise: int = RESENDS) -> int:
    """Return how often a profile wants things sent again."""
    told = profile.get("retries", profile.get("resends"))
    return told if isinstance(told, int) and not isinstance(told, bool) and 0 <= told <= 20 else otherwise


class JsonSender:
    """Sends the commands of one link to its devices."""

    def __init__(self, hub: Hub, link: Link) -> None:
        self.hub, self.link = hub, link

    async def send(self, order: Order) -> Outcome:
        """Send a command and return how it ended."""
        if order.verb == "write":
            return await self._write(order)
        if order.verb == "publish":
            return await self._publish(order)
        raise RefusedError("unknown_verb", order.verb)

    @property
    def _delivered(self) -> str:
        return "delivered" if self.link.direct else "handed_to_broker"

    async def _publish(self, order: Order) -> Outcome:
        payload = order.parameters.get("payload", "")
        text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
        packet = Publish(
            str(order.parameters.get("topic", "")), text.encode(), 1, bool(order.parameters.get("retain"))
        )
        acked = asyncio.Event()
        try:
            taken = self.link.publish(packet, acked.set)
        except ValueError as error:
            raise RefusedError("bad_parameters", str(error)) from None
        order.sent(text=f"{packet.topic} {text}")
        if not taken and not packet.retain:
            return Outcome("failed", {"code": "nobody_listens"})
        if taken and not await _within(acked, seconds(order.device.profile)):
            return Outcome("timed_out", {"code": "no_acknowledgement"})
        return Outcome("done", {"code": self._delivered if taken else "retained"})

    async def _write(self, order: Order) -> Outcome:
        device = order.device
        point = point_of(device, str(order.parameters.get("point", "")))
        wanted = raw_of(point, order.parameters.get("value"))
        order.request = order.request or order.uid
        body = json.dumps({**nested(point.address, wanted), "id": order.request}, ensure_ascii=False)
        topics = command_topics(device)
        topic = next((one for one in topics if self.link.hears(one)), None)
        if topic is None:
            return Outcome("failed", {"code": "nobody_listens"})
        acked, answered = asyncio.Event(), asyncio.Event()
        outcome: dict[str, Any] = {}

        def answer(packet: Publish) -> None:
            told = _object(packet.payload)
            if told is None or answered.is_set() or str(told.get("id", order.request)) != order.request:
                return
            order.heard(text=f"{packet.topic} {packet.payload.decode('utf-8', 'backslashreplace')}")
            outcome.update(
                _verdict(told),
                values={name: value for name, value in told.items() if name not in ("id", "ok", "ts")},
            )
            answered.set()

        def reading(packet: Publish) -> None:
            found = Mappings(self.hub.registry).read(packet.topic, packet.payload, device.key)
            for entry in () if isinstance(found, Fault) else found:
                if (
                    entry.key == device.key
                    and point.address in entry.values
                    and same(entry.values[point.address], wanted)
                ):
                    order.heard(text=f"{packet.topic} {packet.payload.decode('utf-8', 'backslashreplace')}")
                    outcome.update(
                        code="ok", state="done", values={point.address: entry.values[point.address]}
                    )
                    answered.set()
                    return

        with contextlib.ExitStack() as listening:
            for pattern in answer_topics(device):
                listening.callback(self.link.listen(pattern, answer))
            for pattern in topics_of(device):
                heard = filter_of(pattern.replace("{key}", device.key))
                if heard not in ("#", "+"):
                    listening.callback(self.link.listen(heard, reading))
            for _attempt in range(1 + times(device.profile)):
                if not self.link.publish(Publish(topic, body.encode(), 1), acked.set):
                    return Outcome("queued", {"code": "disconnected"})
                order.sent(text=f"{topic} {body}")
                if await _within(answered, seconds(device.profile)):
                    return Outcome(outcome.pop("state"), outcome)
                if acked.is_set() and self.link.direct:
                    break  # it has it: saying it again changes nothing
        if acked.is_set() and not device.profile.get("answers"):
            return Outcome("done", {"code": self._delivered})
        return Outcome("timed_out", {"code": "no_answer" if acked.is_set() else "no_acknowledgement"})


def nested(address: str, value: float) -> dict[str, Any]:
    """Return the object that has a value at a dotted path: `a.b` gives `{"a": {"b": value}}`."""
    found: Any = value
    for part in reversed(address.split(".")):
        found = {part: found}
    return found


def _verdict(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return how an answer says it went: `ok`, `success`, `error`, `code` (0 or 200 is good) are understood."""
    for name in ("ok", "success"):
        if name in told:
            good = bool(told[name])
            return {"state": "done" if good else "failed", "code": "ok" if good else "refused"}
    if told.get("error"):
        return {"state": "failed", "code": "refused", "detail": str(told["error"])[:200]}
    if isinstance(told.get("code"), int) and told["code"] not in (0, 200):
        return {"state": "failed", "code": str(told["code"])}
    return {"state": "done", "code": "ok"}


def _object(payload: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


async def _within(event: asyncio.Event, limit: float) -> bool:
    """Return whether something happens in time."""
    try:
        await asyncio.wait_for(event.wait(), limit)
    except TimeoutError:
        return False
    return True
