"""Our client of a real broker (mosquitto): what was published is in the journal, whoever is stopped or killed meanwhile."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import gmqtt
import pytest

from tests.gateway.kit import hub_of, run, spec
from tests.gateway.mqtt.foreign import Mosquitto, pub, sub
from tests.gateway.mqtt.test_broker import said, until
from yuanmai.devices.engine.registry import DeviceSpec, PointSpec, Registry
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.hub import Hub
from yuanmai.gateway.mqtt.client import Address, Upstream, address_of
from yuanmai.gateway.mqtt.listeners import upstream
from yuanmai.gateway.orders import Order, Outcome
from yuanmai.protocols.mqtt.packets import Publish


@asynccontextmanager
async def mosquitto(folder: Path, *, anonymous: bool = True) -> AsyncIterator[Mosquitto]:
    broker = Mosquitto(folder, anonymous=anonymous)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


@asynccontextmanager
async def hearing(hub: Hub, port: int, version: str = "5", more: str = "") -> AsyncIterator[Upstream]:
    """Our client at work."""
    client = upstream(hub, f"mqtt://127.0.0.1:{port}?version={version}{more}", "yuanmai")
    await client.start()
    try:
        await until(lambda: client.connected and client.wire is not None and not client.wire.asked)
        yield client
    finally:
        await client.stop()


def bodies(journal: object) -> list[int]:
    return [json.loads(body)["n"] for _key, _topic, body in said(journal)]  # type: ignore[arg-type]


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_devices_behind_a_broker(version: str, tmp_path: Path) -> None:
    async def work() -> None:
        hub, journal = hub_of(spec("mqtt", "pump", topics=["works/{key}/up"]))
        async with mosquitto(tmp_path / "m") as broker, hearing(hub, broker.port, version) as client:
            lines = b"\n".join(b'{"n":%d}' % number for number in range(300))
            await pub(broker.port, "-q", "1", "-t", "works/pump/up", "-l", text=lines)
            await until(lambda: len(said(journal)) == 300, 10)
            assert bodies(journal) == list(range(300))
            assert {key for key, _topic, _body in said(journal)} == {""}  # the broker does not say who
            await pub(broker.port, "-q", "1", "-t", "other/topic", "-m", "{}")
            hub.take_registry(Registry([spec("mqtt", "pump", topics=["other/topic"])], 2))
            await until(lambda: client.wire is not None and not client.wire.asked)
            await pub(broker.port, "-q", "1", "-t", "works/pump/up", "-m", '{"n":-1}')
            await pub(broker.port, "-q", "1", "-t", "other/topic", "-m", '{"n":-2}')
            await until(lambda: len(said(journal)) == 301)
            assert bodies(journal)[-1] == -2

    run(work())


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_what_is_not_durable_is_not_acknowledged_and_comes_again(version: str, tmp_path: Path) -> None:
    async def work() -> None:
        hub, journal = hub_of()
        async with mosquitto(tmp_path / "m") as broker:
            journal.hold = True
            async with hearing(hub, broker.port, version) as client:
                lines = b"\n".join(b'{"n":%d}' % number for number in range(50))
                await pub(broker.port, "-q", "1", "-t", "devices/a/data", "-l", text=lines)
                await until(lambda: sum(entry[0][0] == Kind.MQTT for entry in journal.waiting) == 50)
                assert client.wire is not None
                client.wire.transport.abort()  # as if we had been killed: nothing of it was durable
            journal.waiting.clear()
            journal.hold = False
            async with hearing(hub, broker.port, version):
                await until(lambda: len(said(journal)) == 50)
            assert bodies(journal) == list(range(50))

    run(work())


def test_a_full_disk_heals_without_a_new_connection(tmp_path: Path) -> None:
    async def work() -> None:
        hub, journal = hub_of(failure=OSError(28, "No space left on device"))
        async with mosquitto(tmp_path / "m") as broker, hearing(hub, broker.port) as client:
            wire = client.wire
            lines = b"\n".join(b'{"n":%d}' % number for number in range(300))
            await pub(broker.port, "-q", "1", "-t", "devices/a/data", "-l", text=lines)
            await asyncio.sleep(1.5)
            assert not said(journal)
            journal.failure = None
            await until(lambda: len(said(journal)) == 300)
            assert bodies(journal) == list(range(300))
            assert client.wire is wire

    run(work())


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_broker_that_is_stopped_or_killed_under_load(how: int, tmp_path: Path) -> None:
    """Stopped in order it loses nothing, and neither do we.

    Killed it may lose what it has acknowledged out of its memory (why our own does not do so); we hear everything that comes
    after it is back.
    """

    async def work() -> None:
        wanted = set(range(1200) if how == signal.SIGTERM else range(801, 1200))
        hub, journal = hub_of()
        async with mosquitto(tmp_path / "m") as broker, hearing(hub, broker.port) as client:
            publisher = gmqtt.Client("publisher", clean_session=False, session_expiry_interval=3600)
            publisher.set_config({"reconnect_delay": 0.2, "reconnect_retries": -1})
            await publisher.connect("127.0.0.1", broker.port, version=gmqtt.constants.MQTTv50)
            for number in range(1200):
                while not said_by(publisher, number):
                    await asyncio.sleep(0.05)
                if number % 50 == 0:
                    await asyncio.sleep(0.01)
                if number in (400, 800):
                    await broker.stop(how)
                    await broker.start()
            # At least once: what was in both hands when the broker went may have come twice.
            await until(lambda: wanted <= set(bodies(journal)), 25)
            assert client.connected
            await publisher.disconnect()

    run(work(), 60)


def said_by(publisher: gmqtt.Client, number: int) -> bool:
    """Publish, unless the client has too much under way."""
    try:
        publisher.publish("devices/a/data", {"n": number}, qos=1)
    except OverflowError:
        return False
    return True


def test_what_comes_while_we_are_away_waits_in_the_broker(tmp_path: Path) -> None:
    async def work() -> None:
        hub, journal = hub_of()
        async with mosquitto(tmp_path / "m") as broker:
            async with hearing(hub, broker.port):
                pass
            lines = b"\n".join(b'{"n":%d}' % number for number in range(100))
            await pub(broker.port, "-q", "1", "-t", "devices/a/data", "-l", text=lines)
            await broker.stop()
            await broker.start()
            async with hearing(hub, broker.port):
                await until(lambda: len(said(journal)) == 100)

    run(work())


def test_the_host_of_sparkplug_is_known_by_its_state(tmp_path: Path) -> None:
    async def work() -> None:
        hub, _journal = hub_of()
        state = ("-V", "mqttv5", "-q", "1", "-t", "spBv1.0/STATE/yuanmai")
        async with mosquitto(tmp_path / "m") as broker, sub(broker.port, *state, topic="%p") as heard:
            async with hearing(hub, broker.port) as client:
                born = json.loads(await heard.line())
                assert born["online"] is True
                assert client.wire is not None
                client.wire.transport.abort()
                assert json.loads(await heard.line()) == {"online": False, "timestamp": born["timestamp"]}
                assert json.loads(await heard.line()) == born
            assert json.loads(await heard.line())["online"] is False

    run(work())


def test_a_command_through_the_broker(tmp_path: Path) -> None:
    async def work() -> None:
        point = PointSpec(1, "dim", "dim", scale=0.01)
        lamp = DeviceSpec(
            1, 1, "L", "mqtt", "lamp", {"timeout": 2, "answers": "devices/{key}/answers"}, {"dim": (point,)}
        )
        hub, _journal = hub_of(lamp)
        async with mosquitto(tmp_path / "m") as broker, hearing(hub, broker.port):
            sender = hub.commands.find(lamp)
            assert sender is not None
            asked = Order(
                1,
                "u-1",
                lamp,
                "write",
                {"point": "dim", "value": 0.6},
                datetime.now(UTC) + timedelta(minutes=1),
            )
            async with sub(broker.port, "-q", "1", "-t", "devices/lamp/commands") as heard:
                await asyncio.sleep(0.5)  # until it is subscribed
                answer = asyncio.create_task(sender(asked))
                assert json.loads((await heard.line()).split(" ", 1)[1]) == {"dim": 60, "id": "u-1"}
                await pub(
                    broker.port,
                    "-q",
                    "1",
                    "-t",
                    "devices/lamp/answers",
                    "-m",
                    '{"id":"u-1","ok":true,"dim":60}',
                )
                assert await answer == Outcome("done", {"code": "ok", "values": {"dim": 60}})
            assert (await sender(asked)).state == "timed_out"

    run(work())


def test_two_gateways_share_the_work(tmp_path: Path) -> None:
    async def work() -> None:
        hubs = [hub_of() for _number in range(2)]
        for number, (hub, _journal) in enumerate(hubs):
            hub.name = f"gateway-{number}"
        async with (
            mosquitto(tmp_path / "m") as broker,
            hearing(hubs[0][0], broker.port, more="&share=all"),
            hearing(hubs[1][0], broker.port, more="&share=all"),
        ):
            lines = b"\n".join(b'{"n":%d}' % number for number in range(200))
            await pub(broker.port, "-q", "1", "-t", "devices/a/data", "-l", text=lines)
            await until(lambda: sum(len(said(journal)) for _hub, journal in hubs) == 200)
            assert sorted(bodies(hubs[0][1]) + bodies(hubs[1][1])) == list(range(200))
            assert all(said(journal) for _hub, journal in hubs)

    run(work())


def test_addresses() -> None:
    assert address_of("mqtt://h") == Address("h", 1883)
    assert address_of("mqtts://u%40x:p%3Aw@h:9?version=3.1.1&share=s") == Address(
        "h", 9, True, "u@x", b"p:w", 4, "s"
    )
    for wrong in ("", "http://h", "mqtt://", "mqtt://h?version=2", "mqtt://h?share=a/b"):
        with pytest.raises(ValueError, match=r".+"):
            address_of(wrong)


def test_a_broker_that_refuses_or_is_not_there(tmp_path: Path) -> None:
    async def work() -> None:
        hub, _journal = hub_of()
        async with mosquitto(tmp_path / "m", anonymous=False) as broker:
            client = upstream(hub, f"mqtt://127.0.0.1:{broker.port}", "yuanmai")
            await client.start()
            await until(lambda: hub.counts.get("upstream.disconnected", 0) >= 2)
            assert not client.connected
            assert client.publish(Publish("a", b"")) == 0
            await client.stop()

    run(work())
