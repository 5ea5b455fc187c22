"""The embedded broker with foreign clients over real sockets: what is acknowledged is in the journal, and nothing is heard by others."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.gateway.kit import hub_of, run, serving, spec
from tests.gateway.mqtt.foreign import pub, sub
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.hub import MemoryJournal
from yuanmai.gateway.mqtt.broker import Broker
from yuanmai.protocols.mqtt.packets import Publish
from yuanmai.protocols.mqtt.stream import split_message

VERSIONS = ("mqttv31", "mqttv311", "mqttv5")


def said(journal: MemoryJournal) -> list[tuple[str, str, bytes]]:
    """Who has said what on which topic, in the journal."""
    return [
        (key, *split_message(payload)) for _kind, key, payload, _at in journal.of(Kind.MQTT, Kind.SPARKPLUG)
    ]  # type: ignore[misc]


async def until(truth: object, seconds: float = 15) -> None:
    """Wait until a function returns something true."""
    assert callable(truth)
    async with asyncio.timeout(seconds):
        while not truth():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_of_every_version_and_quality_reach_the_journal(version: str, qos: int) -> None:
    async def work() -> None:
        hub, journal = hub_of(spec("mqtt", "lamp-1"))
        async with serving(Broker(hub, "127.0.0.1", 0)) as port:
            lines = b"\n".join(b'{"t":%d}' % number for number in range(200))
            await pub(
                port,
                "-V",
                version,
                "-i",
                "lamp-1",
                "-q",
                str(qos),
                "-t",
                "devices/lamp-1/data",
                "-l",
                text=lines,
            )
            await until(lambda: len(said(journal)) == 200)
        assert said(journal) == [
            ("lamp-1", "devices/lamp-1/data", b'{"t":%d}' % number) for number in range(200)
        ]
        assert [json.loads(record[2])["gateway"] for record in journal.of(Kind.CONNECTED)] == ["test"]
        assert [record[1] for record in journal.of(Kind.DISCONNECTED)] == ["mqtt:lamp-1"]

    run(work())


@pytest.mark.parametrize("version", VERSIONS[1:])
@pytest.mark.parametrize("qos", ["1", "2"])
def test_nothing_is_acknowledged_before_it_is_durable(version: str, qos: str) -> None:
    async def work() -> None:
        hub, journal = hub_of(hold=True)
        async with serving(Broker(hub, "127.0.0.1", 0)) as port:
            sending = asyncio.create_task(
                pub(port, "-V", version, "-i", "x", "-q", qos, "-t", "a/b", "-m", "{}")
            )
            await until(lambda: any(entry[0][0] == Kind.MQTT for entry in journal.waiting))
            await asyncio.sleep(0.3)
            assert not sending.done()
            journal.hold = False
            journal.release()
            await sending

    run(work())


def test_a_full_disk_is_told_in_5_and_waited_for_in_311() -> None:
    async def work() -> None:
        hub, journal = hub_of(failure=OSError(28, "No space left on device"))
        async with serving(Broker(hub, "127.0.0.1", 0)) as port:
            _code, out = await pub(
                port, "-V", "mqttv5", "-i", "five", "-q", "1", "-t", "a", "-m", "{}", check=False
            )
            assert "Quota exceeded" in out
            old = asyncio.create_task(
                pub(port, "-V", "mqttv311", "-i", "old", "-q", "1", "-t", "a", "-l", text=b"1\n2\n3")
            )
            await asyncio.sleep(1.5)
            assert not old.done()
            journal.failure = None
            await old
            await pub(port, "-V", "mqttv5", "-i", "five", "-q", "2", "-t", "a", "-m", "4")
        assert [body for _key, _topic, body in said(journal)] == [b"1", b"2", b"3", b"4"]
        assert hub.trouble is None

    run(work())


def test_credentials() -> None:
    async def work() -> None:
        hub, journal = hub_of(spec("mqtt", "lamp-1", secret="s3cret"))
        async with serving(Broker(hub, "127.0.0.1", 0)) as port:
            known = ("-q", "1", "-t", "devices/lamp-1/telemetry", "-m", "{}")
            await pub(port, "-i", "any", "-u", "lamp-1", "-P", "s3cret", *known)
            await pub(port, "-i", "any", "-u", "D-1", "-P", "s3cret", *known)
            for version in VERSIONS[1:]:
                for wrong in (("-u", "lamp-1", "-P", "wrong"), ("-u", "lamp-1"), ("-i", "lamp-1")):
                    code, out = await pub(port, "-V", version, *wrong, *known, check=False)
                    assert code, out
            # A stranger does not speak in the name of a device with a secret: 5.0 hears so, 3.1.1 loses the connection.
            _code, out = await pub(port, "-V", "mqttv5", "-i", "thief", *known, check=False)
            assert "Not authorized" in out
        assert [key for key, _topic, _body in said(journal)] == ["lamp-1", "lamp-1"]
        odd = [json.loads(record[2])["kind"] for record in journal.of(Kind.ODD)]
        assert "refused" in odd
        assert "topic_not_allowed" in odd

    run(work())


def test_the_door_may_be_closed_to_strangers() -> None:
    async def work() -> None:
        hub, journal = hub_of(spec("mqtt", "lamp-1"))
        async with serving(Broker(hub, "127.0.0.1", 0, open_door=False)) as port:
            await pub(port, "-i", "lamp-1", "-q", "1", "-t", "devices/lamp-1/data", "-m", "{}")
            for args in (("-i", "stranger"), ("-i", "x", "-u", "nobody", "-P", "x"), ()):
                code, _out = await pub(port, *args, "-q", "1", "-t", "a", "-m", "{}", check=False)
                assert code
        assert len(said(journal)) == 1

    run(work())


def test_strangers_are_parked_and_hear_only_themselves() -> None:
    async def work() -> None:
        hub, journal = hub_of()
        broker = Broker(hub, "127.0.0.1", 0)
        async with serving(broker) as port:
            await pub(port, "-i", "new lamp+1", "-q", "1", "-t", "some/where", "-m", '{"t":1}')
            await pub(port, "-q", "1", "-t", "some/where", "-m", "{}")
            for pattern in (
                "#",
                "some/where",
                "devices/+/commands",
                "devices/other/commands",
                "$SYS/#",
                "$share/g/devices/me/#",
            ):
                async with sub(port, "-V", "mqttv5", "-i", "me", "-t", pattern) as heard:
                    assert "ubscri" in await heard.line() or await heard.process.wait()
            async with sub(port, "-i", "me", "-q", "1", "-t", "devices/me/commands") as heard:
                await until(lambda: broker.hears("devices/me/commands"))
                broker.publish(Publish("devices/other/commands", b"no", 1))
                broker.publish(Publish("devices/me/commands", b"yes", 1))
                assert await heard.line() == "devices/me/commands yes"
        assert [key for key, _topic, _body in said(journal)] == ["new_lamp_1", "anonymous@127.0.0.1"]

    run(work())


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_a_device_does_not_hear_another_device(version: str) -> None:
    async def work() -> None:
        hub, journal = hub_of(spec("mqtt", "a", number=1), spec("mqtt", "b", number=2))
        broker = Broker(hub, "127.0.0.1", 0)
        async with serving(broker) as port:
            beyond = ("-t", "devices/b/#", "-t", "devices/a/#")
            async with sub(port, "-V", version, "-i", "a", *beyond) as heard:
                await until(lambda: broker.hears("devices/a/commands"))
                assert not broker.hears("devices/b/commands")
                await pub(port, "-i", "b", "-q", "1", "-t", "devices/b/telemetry", "-m", "{}")
                await heard.silent()
            foreign = ("-i", "b", "-q", "1", "-t", "devices/a/telemetry", "-m", "{}")
            _code, out = await pub(port, "-V", "mqttv5", *foreign, check=False)
            assert "Not authorized" in out
        assert [key for key, _topic, _body in said(journal)] == ["b"]

    run(work())


def test_a_persistent_session_outlives_client_and_broker(tmp_path: Path) -> None:
    async def work() -> None:
        hub, _journal = hub_of(spec("mqtt", "a"))
        topic = "devices/a/commands"
        for version, more in (("mqttv311", ()), ("mqttv5", ("-x", "3600"))):
            first = Broker(hub, "127.0.0.1", 0, folder=tmp_path)
            subscriber = ("-V", version, "-i", "a", "-c", "-q", "1", "-t", topic, *more)
            async with serving(first) as port, sub(port, *subscriber) as heard:
                await until(lambda first=first: first.hears(topic))
                first.publish(Publish(topic, b"at once", 1))
                assert await heard.line() == f"{topic} at once"
            second = Broker(hub, "127.0.0.1", 0, folder=tmp_path)
            async with serving(second) as port:
                assert second.hears(topic)
                assert second.publish(Publish(topic, b"while away", 1)) == 1
            third = Broker(hub, "127.0.0.1", 0, folder=tmp_path)
            async with serving(third) as port, sub(port, *subscriber) as heard:
                assert await heard.line() == f"{topic} while away"
                await heard.silent()
                assert not third.sessions["a"].sending
            fourth = Broker(hub, "127.0.0.1", 0, folder=tmp_path)
            async with serving(fourth) as port:
                assert not fourth.sessions["a"].queue
                await pub(
                    port, "-V", version, "-i", "a", "-t", "devices/a/telemetry", "-m", "{}"
                )  # clean: the session ends
                await until(lambda fourth=fourth: not fourth.sessions)

    run(work())


def test_the_queue_of_a_client_that_is_away_is_bounded() -> None:
    async def work() -> None:
        hub, journal = hub_of(spec("mqtt", "a"))
        broker = Broker(hub, "127.0.0.1", 0)
        async with serving(broker) as port:
            async with sub(port, "-i", "a", "-c", "-q", "1", "-t", "devices/a/commands"):
                await until(lambda: broker.hears("devices/a/commands"))
            await until(lambda: broker.sessions["a"].client is None)
            taken = sum(broker.publish(Publish("devices/a/commands", b"x", 1)) for _number in range(1200))
            assert taken == 1000
            assert not broker.publish(Publish("devices/a/commands", b"x", 0))
        assert "queue_full" in {json.loads(record[2])["kind"] for record in journal.of(Kind.ODD)}

    run(work())


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_wills_and_retained_messages(version: str, tmp_path: Path) -> None:
    async def work() -> None:
        hub, journal = hub_of(spec("mqtt", "a"))
        broker = Broker(hub, "127.0.0.1", 0, folder=tmp_path)
        will = (
            "--will-topic",
            "devices/a/state",
            "--will-payload",
            "gone",
            "--will-retain",
            "--will-qos",
            "1",
        )
        async with serving(broker) as port:
            await pub(port, "-V", version, "-i", "a", *will, "-t", "devices/a/telemetry", "-m", "{}")
            await until(lambda: not broker.connections)
            assert b"gone" not in [body for _key, _topic, body in said(journal)]  # it said goodbye
            async with sub(port, "-V", version, "-i", "a", *will, "-t", "devices/a/commands") as heard:
                await until(lambda: broker.hears("devices/a/commands"))
                heard.process.kill()
                await until(lambda: b"gone" in [body for _key, _topic, body in said(journal)])
        again = Broker(hub, "127.0.0.1", 0, folder=tmp_path)
        async with serving(again) as port:
            assert len(again.retained) == 1
            async with sub(port, "-V", version, "-i", "a", "-t", "devices/a/#", topic="%t %p %r") as heard:
                assert await heard.line() == "devices/a/state gone 1"
            await pub(port, "-V", version, "-i", "a", "-r", "-q", "1", "-t", "devices/a/state", "-n")
            assert not len(again.retained)

    run(work())


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_the_newer_connection_of_a_client_takes_over(version: str) -> None:
    async def work() -> None:
        hub, journal = hub_of(spec("mqtt", "a"))
        broker = Broker(hub, "127.0.0.1", 0)
        first = ("-V", version, "-i", "a", "-t", "devices/a/commands")
        async with serving(broker) as port:
            async with sub(port, *first):
                await until(lambda: broker.hears("devices/a/commands"))
                client = broker.sessions["a"].client
                await pub(port, "-V", version, "-i", "a", "-q", "1", "-t", "devices/a/telemetry", "-m", "{}")
                assert broker.sessions.get("a") is None or broker.sessions["a"].client is not client
            await until(lambda: not broker.sessions)
        reasons = [json.loads(record[2])["reason"] for record in journal.of(Kind.DISCONNECTED)]
        assert "replaced" in reasons

    run(work())


def test_a_device_that_falls_silent_is_cut() -> None:
    async def work() -> None:
        hub, journal = hub_of(spec("mqtt", "a"))
        async with serving(Broker(hub, "127.0.0.1", 0)) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x01\x00\x01a")  # keep-alive of one second
            assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
            assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
        assert [json.loads(record[2])["reason"] for record in journal.of(Kind.DISCONNECTED)] == ["idle"]

    run(work())


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b""),
        (b"\x00" * 100, b""),
        (b"\x30\x03\x00\x01a", b""),  # not CONNECT first
        (b"\x10\x0d\x00\x04MQTT\x09\x02\x00\x3c\x00\x01a", b"\x20\x03\x00\x84\x00"),  # version 9
        (b"\x10\x0c\x00\x04MQTT\x04\x00\x00\x3c\x00\x00", b"\x20\x02\x00\x02"),  # no identifier for a session that stays
        (b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a" * 2, b"\x20\x02\x00\x00"),  # twice
        (b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01a\x30\xff\xff\xff\xff", None),  # a length without end
    ],
)  # fmt: skip
def test_nonsense_ends_the_connection(sent: bytes, answer: bytes | None) -> None:
    async def work() -> None:
        hub, _journal = hub_of()
        async with serving(Broker(hub, "127.0.0.1", 0)) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            found = await asyncio.wait_for(reader.read(), 5)
            writer.close()
        if answer is None:
            assert found.endswith(b"\xe0\x01\x81")
        else:
            assert found == answer

    run(work())


CONNECT = b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x3c\x00\x01a"  # a session that stays


async def talk(port: int, sent: bytes, wanted: int) -> bytes:
    """Connect, send, read so many bytes beyond CONNACK, and go."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(CONNECT + sent)
    try:
        return (await asyncio.wait_for(reader.readexactly(4 + wanted), 5))[4:]
    finally:
        writer.transport.abort()


def test_quality_2_is_once_over_broken_connections_and_restarts(tmp_path: Path) -> None:
    message = b"\x34\x19\x00\x13devices/a/telemetry\x00\x07{}"
    again = b"\x3c" + message[1:]

    async def work() -> None:
        hub, journal = hub_of(spec("mqtt", "a"), hold=True)
        broker = Broker(hub, "127.0.0.1", 0, folder=tmp_path)
        async with serving(broker) as port:
            await talk(port, message, 0)
            await until(lambda: any(entry[0][0] == Kind.MQTT for entry in journal.waiting))
            await until(lambda: not broker.connections)
            journal.hold = False
            journal.release()
            assert await talk(port, again, 4) == b"\x50\x02\x00\x07"
        async with serving(Broker(hub, "127.0.0.1", 0, folder=tmp_path)) as port:
            assert await talk(port, again, 4) == b"\x50\x02\x00\x07"
            assert await talk(port, b"\x62\x02\x00\x07", 4) == b"\x70\x02\x00\x07"
            assert len(said(journal)) == 1
            # Released: the same identifier is another message now.
            assert await talk(port, message, 4) == b"\x50\x02\x00\x07"
            assert len(said(journal)) == 2
            # What the disk had no room for is not half received.
            await talk(port, b"\x62\x02\x00\x07", 4)
            journal.failure = OSError(28, "No space left on device")
            await talk(port, message, 0)
            await asyncio.sleep(0.1)
            journal.failure = None
            assert await talk(port, again, 4) == b"\x50\x02\x00\x07"
            assert len(said(journal)) == 3

    run(work())
