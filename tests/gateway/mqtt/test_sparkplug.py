"""Sparkplug B: an edge node of the npm package sparkplug-client against our broker."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.gateway.kit import hub_of, run, serving, spec
from tests.gateway.mqtt.foreign import program, sub
from tests.gateway.mqtt.test_broker import until
from yuanmai.devices.engine.registry import DeviceSpec, PointSpec
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.hub import Hub, MemoryJournal
from yuanmai.gateway.mqtt.listeners import BrokerListener
from yuanmai.gateway.orders import Order, Outcome, RefusedError
from yuanmai.protocols.mqtt.stream import split_message
from yuanmai.protocols.sparkplug import payload as payloads
from yuanmai.protocols.sparkplug.payload import Metric, Payload
from yuanmai.protocols.sparkplug.values import DataType

PEERS = Path(__file__).parents[2] / "peers"


def broker_of(hub: Hub) -> BrokerListener:
    broker = BrokerListener(hub, "127.0.0.1", 0)
    broker.attend("yuanmai")
    return broker


@asynccontextmanager
async def edge_node(port: int, *args: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The node of another maker."""
    if not (PEERS / "node_modules" / "sparkplug-client").is_dir():
        if os.environ.get("CI"):
            pytest.fail("tests/peers/node_modules is missing: make test-setup")
        pytest.skip("tests/peers/node_modules is missing: make test-setup")
    process = await asyncio.create_subprocess_exec(
        program("node"), str(PEERS / "edge_node.js"), str(port), *args,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def word(process: asyncio.subprocess.Process, wanted: str) -> str:
    """The next line that begins so."""
    assert process.stdout is not None
    async with asyncio.timeout(15):
        while True:
            line = (await process.stdout.readline()).decode().strip()
            assert line, "the node has ended"
            if line.startswith(wanted):
                return line


def heard(journal: MemoryJournal) -> list[tuple[str, str, Payload]]:
    """Key, type and payload of the messages in the journal."""
    found = []
    for _kind, key, record, _at in journal.of(Kind.SPARKPLUG):
        topic, body = split_message(record)  # type: ignore[misc]
        payload = payloads.decode(body)
        assert isinstance(payload, Payload)
        found.append((key, topic.split("/")[2], payload))
    return found


def lamp() -> DeviceSpec:
    points = {
        "Outputs/Lamp": (PointSpec(1, "lamp", "Outputs/Lamp", scale=0.5),),
        "gone": (PointSpec(2, "gone", "gone"),),
    }
    return DeviceSpec(2, 1, "L", "sparkplug", "park/n1/m1", {"timeout": 3}, points)


def order(verb: str, device: DeviceSpec, **parameters: object) -> Order:
    return Order(1, "u", device, verb, parameters, datetime.now(UTC) + timedelta(minutes=1))


def test_births_data_commands_gaps_and_death() -> None:
    async def work() -> None:
        node = spec("sparkplug", "park/n1", secret="pass")
        hub, journal = hub_of(node, lamp())
        broker = broker_of(hub)
        async with serving(broker) as port, edge_node(port, "edge", "park/n1", "pass") as process:
            await word(process, "birth")
            await until(lambda: sum(kind == "DDATA" for _key, kind, _payload in heard(journal)) > 2)
            assert [(key, kind) for key, kind, _payload in heard(journal)[:2]] == [
                ("park/n1", "NBIRTH"),
                ("park/n1/m1", "DBIRTH"),
            ]
            sender = hub.commands.find(lamp())
            assert sender is not None
            asked = order("write", lamp(), point="lamp", value=35)
            assert await sender(asked) == Outcome("done", {"code": "ok", "values": {"Outputs/Lamp": 70}})
            assert await word(process, "dcmd") == "dcmd m1 Outputs/Lamp 70"
            assert [entry["direction"] for entry in asked.trace] == ["out", "in"]
            for wrong in ({"point": "gone", "value": 1}, {"point": "lamp", "value": 1e9}):
                with pytest.raises(RefusedError):
                    await sender(order("write", lamp(), **wrong))
            assert (await sender(order("rebirth", lamp()))).state == "done"
            await word(process, "birth")
            assert process.stdin is not None
            process.stdin.write(b"gap\n")
            assert await word(process, "ncmd") == "ncmd Node Control/Rebirth"
            await word(process, "birth")
            births = lambda: [payload.seq for _key, kind, payload in heard(journal) if kind == "NBIRTH"]  # noqa: E731
            await until(lambda: births() == [0, 0, 0])
            process.kill()
            await until(lambda: heard(journal)[-1][1] == "NDEATH")
            assert hub.commands.find(lamp()) is None
        assert "out_of_order" in {json.loads(record[2])["kind"] for record in journal.of(Kind.ODD)}

    run(work(), 60)


def test_a_node_nobody_knows_is_asked_to_be_born_and_may_not_be_another() -> None:
    async def work() -> None:
        hub, journal = hub_of()
        broker = broker_of(hub)
        async with serving(broker) as port, edge_node(port, "stranger") as process:
            await word(process, "birth")
            await until(lambda: heard(journal))
            broker.sparkplug.nodes.clear()  # as after a restart of the gateway
            assert await word(process, "ncmd") == "ncmd Node Control/Rebirth"
            await word(process, "birth")
        hub, journal = hub_of(spec("sparkplug", "park/n1", secret="pass"))
        async with serving(broker_of(hub)) as port, edge_node(port, "thief") as process:
            await asyncio.sleep(2)
            assert not heard(journal)
            assert "topic_not_allowed" in {json.loads(record[2])["kind"] for record in journal.of(Kind.ODD)}

    run(work(), 60)


def test_the_state_of_the_host() -> None:
    async def work() -> None:
        hub, _journal = hub_of()
        broker = broker_of(hub)
        async with (
            serving(broker) as port,
            sub(port, "-i", "n", "-q", "1", "-t", "spBv1.0/STATE/yuanmai", topic="%p") as told,
        ):
            assert json.loads(await told.line())["online"] is True
            await broker.stop()
            assert json.loads(await told.line())["online"] is False

    run(work())


def test_messages_that_are_none_do_no_harm() -> None:
    async def work() -> None:
        hub, journal = hub_of()
        broker = broker_of(hub)
        host = broker.sparkplug
        born = payloads.encode(Payload(seq=0, metrics=[Metric("x", 1, datatype=DataType.Int8, value=1)]))
        async with serving(broker):
            from yuanmai.protocols.mqtt.packets import Publish

            for topic, body in (
                ("spBv1.0/a/NBIRTH/b", b"\xff"),
                ("spBv1.0/a/NBIRTH/b", born),
                ("spBv1.0/a/NDATA/b", b""),
                ("nonsense", b""),
            ):
                host.take(Kind.SPARKPLUG, Publish(topic, body))
            host.take(Kind.MQTT, Publish("spBv1.0/a/NBIRTH/c", born))
        assert set(host.nodes) == {"a/b"}
        assert "bad_payload" in {json.loads(record[2])["kind"] for record in journal.of(Kind.ODD)}

    run(work())
