"""Commands to devices that speak JSON, over the embedded broker; the lamp is the simulator, which shares no code with us."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.gateway.kit import hub_of, run, serving
from tests.gateway.mqtt.foreign import pub, sub
from tests.gateway.mqtt.test_broker import until
from yuanmai.demo.simulators.mqtt import Lamp
from yuanmai.demo.simulators.stats import Stats
from yuanmai.devices.engine.registry import DeviceSpec, PointSpec, Registry
from yuanmai.gateway.hub import Hub
from yuanmai.gateway.mqtt.listeners import BrokerListener
from yuanmai.gateway.mqtt.senders import nested, raw_of
from yuanmai.gateway.orders import Order, Outcome, RefusedError


def lamp(key: str = "lamp", **profile: Any) -> DeviceSpec:
    points = {"dim": (PointSpec(1, "level", "dim"),), "a.b": (PointSpec(2, "deep", "a.b", scale=0.1),)}
    return DeviceSpec(1, 1, "L-1", "mqtt", key, {"timeout": 1, "retries": 1} | profile, points)


def order(device: DeviceSpec, verb: str = "write", **parameters: Any) -> Order:
    return Order(1, "uid-7", device, verb, parameters, datetime.now(UTC) + timedelta(minutes=1))


def broker_of(hub: Hub) -> BrokerListener:
    broker = BrokerListener(hub, "127.0.0.1", 0)
    broker.attend("yuanmai")
    return broker


def test_a_lamp_obeys_and_says_so() -> None:
    async def work() -> None:
        points = {
            name: (PointSpec(place, name, name),) for place, name in enumerate(("brightness", "nonsense"), 1)
        }
        known = DeviceSpec(1, 1, "L-1", "mqtt", "lamp", {"timeout": 1, "answers": "re/{key}"}, points)
        hub, _journal = hub_of(known)
        broker = broker_of(hub)
        async with serving(broker) as port:
            thing = Lamp("127.0.0.1", port, 5, Stats(), name="lamp")
            living = asyncio.create_task(thing.run())
            await until(lambda: broker.hears("devices/lamp/commands"))
            sender = hub.commands.find(known)
            assert sender is not None
            asked = order(known, point="brightness", value=30)
            assert await sender(asked) == Outcome("done", {"code": "ok", "values": {"brightness": 30}})
            assert thing.state["brightness"] == 30
            assert [entry["direction"] for entry in asked.trace] == ["out", "in"]
            # The lamp has no such thing: its readings never show it.
            assert (await sender(order(known, point="nonsense", value=1))).state == "timed_out"
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)
            await until(lambda: hub.commands.find(known) is None)

    run(work())


def test_answers_readings_and_silence() -> None:
    async def work() -> None:
        hub, _journal = hub_of(
            lamp(),
            DeviceSpec(2, 1, "L-2", "mqtt", "strict", {"timeout": 0.5, "answers": "re/{key}"}, lamp().points),
        )
        broker = broker_of(hub)
        say = ("-q", "1", "-i", "lamp-says", "-u", "L-1")
        async with (
            serving(broker) as port,
            sub(port, "-i", "lamp", "-q", "1", "-t", "devices/lamp/commands", topic="%p") as heard,
        ):
            await until(lambda: broker.hears("devices/lamp/commands"))
            sender = hub.commands.find(lamp())
            assert sender is not None
            for answer, outcome in (
                ('{"id":"uid-7","ok":false}', Outcome("failed", {"code": "refused", "values": {}})),
                (
                    '{"id":"uid-7","error":"hot"}',
                    Outcome("failed", {"code": "refused", "detail": "hot", "values": {"error": "hot"}}),
                ),
                ('{"id":"uid-7","code":500}', Outcome("failed", {"code": "500", "values": {"code": 500}})),
                ('{"code":200}', Outcome("done", {"code": "ok", "values": {"code": 200}})),
            ):
                asked = asyncio.create_task(sender(order(lamp(), point="deep", value=2.5)))
                assert json.loads(await heard.line()) == {"a": {"b": 25}, "id": "uid-7"}
                await pub(port, *say, "-t", "devices/lamp/answers", "-m", '{"id":"another","ok":false}')
                await pub(port, *say, "-t", "devices/lamp/answers", "-m", answer)
                assert await asked == outcome
            # Its next reading shows the value: that is an answer too; another value is none.
            asked = asyncio.create_task(sender(order(lamp(), point="deep", value=3)))
            await heard.line()
            await pub(port, *say, "-t", "devices/lamp/telemetry", "-m", '{"a":{"b":29}}')
            await pub(port, *say, "-t", "devices/lamp/telemetry", "-m", '{"a":{"b":30}}')
            assert await asked == Outcome("done", {"code": "ok", "values": {"a.b": 30}})
            # It takes the message and says nothing.
            assert await sender(order(lamp(), point="level", value=1)) == Outcome(
                "done", {"code": "delivered"}
            )
            assert await heard.line()

    run(work())


def test_a_device_that_must_answer_and_does_not() -> None:
    async def work() -> None:
        strict = lamp(answers="re/{key}", timeout=0.3)
        hub, _journal = hub_of(strict)
        broker = broker_of(hub)
        async with (
            serving(broker) as port,
            sub(port, "-i", "lamp", "-q", "1", "-t", "devices/lamp/commands", topic="%p"),
        ):
            await until(lambda: broker.hears("devices/lamp/commands"))
            sender = hub.commands.find(strict)
            assert sender is not None
            assert await sender(order(strict, point="level", value=1)) == Outcome(
                "timed_out", {"code": "no_answer"}
            )

    run(work())


def test_publish_and_what_cannot_be_sent() -> None:
    async def work() -> None:
        hub, _journal = hub_of(lamp())
        broker = broker_of(hub)
        async with (
            serving(broker) as port,
            sub(port, "-i", "lamp", "-q", "1", "-t", "devices/lamp/#", topic="%t %p %r") as heard,
        ):
            await until(lambda: broker.hears("devices/lamp/commands"))
            sender = hub.commands.find(lamp())
            assert sender is not None
            told = await sender(order(lamp(), "publish", topic="devices/lamp/x", payload={"颜色": 1}))
            assert told == Outcome("done", {"code": "delivered"})
            assert await heard.line() == 'devices/lamp/x {"颜色": 1} 0'
            assert (await sender(order(lamp(), "publish", topic="nobody/there", payload="x"))).answer == {
                "code": "nobody_listens"
            }
            kept = await sender(order(lamp(), "publish", topic="nobody/there", payload="x", retain=True))
            assert kept.answer == {"code": "retained"}
            for verb, parameters in (
                ("publish", {"topic": "a/#"}), ("publish", {}), ("dance", {}), ("write", {"point": "none", "value": 1}),
                ("write", {"point": "level", "value": "x"}), ("write", {"point": "level", "value": float("nan")}), ("write", {"point": "level"}),
            ):  # fmt: skip
                with pytest.raises(RefusedError):
                    await sender(order(lamp(), verb, **parameters))

    run(work())


def test_a_stranger_becomes_a_device_while_it_is_connected() -> None:
    async def work() -> None:
        hub, _journal = hub_of()
        broker = broker_of(hub)
        async with (
            serving(broker) as port,
            sub(port, "-i", "lamp", "-q", "1", "-t", "devices/lamp/commands", topic="%p") as heard,
        ):
            await until(lambda: broker.hears("devices/lamp/commands"))
            assert hub.commands.find(lamp()) is None
            hub.take_registry(Registry([lamp()], 2))
            sender = hub.commands.find(lamp())
            assert sender is not None
            assert (await sender(order(lamp(), point="level", value=1))).answer == {"code": "delivered"}
            assert json.loads(await heard.line())["dim"] == 1
            # Out of use: sent away, and not let in where the door is closed.
            hub.take_registry(Registry([], 3))
            await until(lambda: hub.commands.find(lamp()) is None)

    run(work())


def test_small_sums() -> None:
    assert nested("a.b.c", 1) == {"a": {"b": {"c": 1}}}
    assert raw_of(PointSpec(1, "x", "x", scale=0.1, offset=2), 6.4) == 44
    assert raw_of(PointSpec(1, "x", "x"), 1.25) == 1.25
