"""What only 5.0 has: aliases, receive maximum, expiry, identifiers of subscriptions, reasons; and what a broker must not do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.gateway.kit import hub_of, run, serving, spec
from tests.gateway.mqtt.foreign import pub
from tests.gateway.mqtt.test_broker import said, until
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.mqtt import broker as brokers
from yuanmai.gateway.mqtt.access import MOST_FAILURES
from yuanmai.gateway.mqtt.broker import Broker
from yuanmai.gateway.mqtt.incoming import RECEIVE_MAXIMUM
from yuanmai.protocols.mqtt import packets as p
from yuanmai.protocols.mqtt import writer
from yuanmai.protocols.mqtt.packets import V5, Packet, Publish, Subscription
from yuanmai.protocols.mqtt.stream import Decoder

TOPIC = "devices/a/telemetry"


class Five:
    """A client of 5.0 that does exactly what the test says."""

    def __init__(self, reader: asyncio.StreamReader, writer_: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer_
        self.decoder = Decoder(V5, server=False)
        self.found: list[Any] = []

    def send(self, *packets: Packet) -> None:
        self.writer.write(b"".join(writer.encode(packet, V5) for packet in packets))

    async def next(self) -> Any:
        """The next packet; nothing when the broker has closed."""
        async with asyncio.timeout(15):
            while not self.found:
                data = await self.reader.read(65536)
                if not data:
                    return None
                self.found += self.decoder.feed(data)
        return self.found.pop(0)


@asynccontextmanager
async def five(port: int, **connect: Any) -> AsyncIterator[tuple[Five, p.Connack]]:
    """A connected client."""
    client = Five(*await asyncio.open_connection("127.0.0.1", port))
    client.send(p.Connect(**{"client_id": "a", "version": V5, **connect}))
    answer = await client.next()
    assert isinstance(answer, p.Connack)
    try:
        yield client, answer
    finally:
        client.writer.transport.abort()


def test_topic_aliases() -> None:
    async def work() -> None:
        hub, journal = hub_of(spec("mqtt", "a"))
        async with serving(Broker(hub, "127.0.0.1", 0)) as port:
            async with five(port) as (client, answer):
                assert answer.properties["topic_alias_maximum"] >= 2
                client.send(
                    Publish(TOPIC, b"1", 1, packet_id=1, properties={"topic_alias": 2}),
                    Publish("", b"2", 1, packet_id=2, properties={"topic_alias": 2}),
                    Publish("devices/a/data", b"3", 1, packet_id=3, properties={"topic_alias": 2}),
                    Publish("", b"4", 1, packet_id=4, properties={"topic_alias": 2}),
                )
                assert [(await client.next()).packet_id for _number in range(4)] == [1, 2, 3, 4]
                client.send(Publish("", b"5", 1, packet_id=5, properties={"topic_alias": 1}))
                assert (await client.next()).code == p.PROTOCOL_ERROR
            async with five(port) as (
                client,
                _answer,
            ):  # aliases end with the connection; too large ones are none
                client.send(Publish(TOPIC, b"6", 1, packet_id=5, properties={"topic_alias": 999}))
                assert (await client.next()).code == p.BAD_ALIAS
                assert await client.next() is None
        assert [(topic, body) for _key, topic, body in said(journal)] == [
            (TOPIC, b"1"), (TOPIC, b"2"), ("devices/a/data", b"3"), ("devices/a/data", b"4"),
        ]  # fmt: skip

    run(work())


def test_more_than_the_receive_maximum_is_too_much() -> None:
    async def work() -> None:
        hub, journal = hub_of(spec("mqtt", "a"), hold=True)
        async with serving(Broker(hub, "127.0.0.1", 0)) as port, five(port) as (client, answer):
            assert answer.properties["receive_maximum"] == RECEIVE_MAXIMUM
            client.send(
                *(Publish(TOPIC, b"", 1, packet_id=number) for number in range(1, RECEIVE_MAXIMUM + 2))
            )
            assert (await client.next()).code == p.RECEIVE_MAXIMUM
            journal.hold = False
            journal.release()

    run(work())


def test_what_the_client_takes_at_once_is_respected() -> None:
    async def work() -> None:
        hub, _journal = hub_of(spec("mqtt", "a"))
        broker = Broker(hub, "127.0.0.1", 0)
        limits = {"receive_maximum": 2, "maximum_packet_size": 100}
        async with serving(broker) as port, five(port, properties=limits) as (client, _answer):
            client.send(
                p.Subscribe(1, [Subscription("devices/a/commands", 1)], {"subscription_identifier": [7]})
            )
            assert (await client.next()).codes == [1]
            broker.publish(Publish("devices/a/commands", b"x" * 200, 1))  # larger than it takes: left out
            for number in range(4):
                broker.publish(Publish("devices/a/commands", b"%d" % number, 1))
            first, second = await client.next(), await client.next()
            assert (first.payload, second.payload) == (b"0", b"1")
            assert first.properties == {"subscription_identifier": [7]}
            await asyncio.sleep(0.1)
            assert not client.found
            assert len(broker.sessions["a"].queue) == 2
            client.send(p.Ack(p.PUBACK, first.packet_id), p.Ack(p.PUBACK, 999))
            assert (await client.next()).payload == b"2"
        assert not broker.sessions

    run(work())


def test_sessions_end_when_the_client_says() -> None:
    async def work() -> None:
        hub, _journal = hub_of(spec("mqtt", "a"))
        broker = Broker(hub, "127.0.0.1", 0)
        async with serving(broker) as port:
            async with five(port, clean=False, properties={"session_expiry_interval": 10**9}) as (
                client,
                answer,
            ):
                assert answer.properties["session_expiry_interval"] == 7 * 86400
                client.send(p.Subscribe(1, [Subscription("devices/a/commands", 1)]))
                await client.next()
                broker.publish(Publish("devices/a/commands", b"one", 1))
                assert not (await client.next()).dup
            await until(lambda: broker.sessions["a"].client is None)
            async with five(port, clean=False, properties={"session_expiry_interval": 100}) as (
                client,
                answer,
            ):
                assert answer.session_present
                again = await client.next()
                assert (again.payload, again.dup) == (b"one", True)
                client.send(p.Disconnect(0, {"session_expiry_interval": 0}))
                assert await client.next() is None
            await until(lambda: not broker.sessions)
            async with five(port, clean=False) as (client, answer):
                assert not answer.session_present
                client.send(p.Disconnect(0, {"session_expiry_interval": 5}))  # it had none to prolong
                assert (await client.next()).code == p.PROTOCOL_ERROR
            async with five(port, client_id="") as (_client, answer):
                assert answer.properties["assigned_client_identifier"].startswith("auto-")
            async with five(port, properties={"authentication_method": "SCRAM"}) as (_client, answer):
                assert answer.code == p.BAD_METHOD

    run(work())


def test_wills_wait_and_are_called_off() -> None:
    will = p.Will("devices/a/state", b"gone", 1, False, {"will_delay_interval": 1})

    async def work() -> None:
        hub, journal = hub_of(spec("mqtt", "a"))
        broker = Broker(hub, "127.0.0.1", 0)
        stays = {"session_expiry_interval": 60}
        async with serving(broker) as port:
            async with five(port, will=will, properties=stays):
                pass
            await until(lambda: len(broker.wills))
            async with five(port, clean=False, properties=stays) as (client, answer):
                assert answer.session_present
                assert not len(broker.wills)  # it has come back in time
                client.send(p.Disconnect())
                await client.next()
            await asyncio.sleep(1.2)
            assert not said(journal)
            async with five(port, will=will, properties=stays) as (client, _answer):
                client.send(p.Disconnect(p.DISCONNECT_WITH_WILL))
                await client.next()
            await until(lambda: [body for _key, _topic, body in said(journal)] == [b"gone"])

    run(work())


def test_retained_messages_as_asked_for() -> None:
    async def work() -> None:
        hub, _journal = hub_of(spec("mqtt", "a"))
        broker = Broker(hub, "127.0.0.1", 0)
        async with serving(broker) as port:
            await pub(
                port, "-V", "mqttv5", "-i", "b", "-r", "-q", "1", "-t", "devices/b/state", "-m", "other"
            )
            async with five(port) as (client, _answer):
                client.send(
                    Publish("devices/a/state", b"kept", 1, True, packet_id=1, properties={"content_type": "text", "message_expiry_interval": 60}),
                    p.Subscribe(2, [Subscription("devices/a/#", 0, True, True, 2)]),
                    p.Subscribe(3, [Subscription("devices/a/#", 0, True, True, 1)]),
                    p.Subscribe(4, [Subscription("devices/a/state", 1, False, True, 1), Subscription("devices/b/#"), Subscription("$share/x/devices/a/#")]),
                )  # fmt: skip
                assert [(await client.next()).packet_id for _number in range(3)] == [1, 2, 3]
                answer = await client.next()
                assert answer.codes == [1, p.NOT_AUTHORIZED, p.NO_SHARED]
                kept = await client.next()
                assert (kept.topic, kept.payload, kept.qos, kept.retain) == (
                    "devices/a/state",
                    b"kept",
                    1,
                    True,
                )
                assert kept.properties == {"content_type": "text"}
                client.send(p.Unsubscribe(5, ["devices/a/#", "devices/a/none"]))
                assert (await client.next()).codes == [0, p.NO_SUBSCRIPTION]
                client.send(Publish("devices/a/state", b"new", 0, True))
                live = await client.next()
                assert (live.payload, live.retain, live.qos) == (b"new", True, 0)

    run(work())


def test_a_full_disk_has_its_reason_for_every_quality() -> None:
    async def work() -> None:
        hub, journal = hub_of(spec("mqtt", "a"), failure=OSError(28, "No space left on device"))
        async with serving(Broker(hub, "127.0.0.1", 0)) as port, five(port) as (client, _answer):
            for qos, kind in ((1, p.PUBACK), (2, p.PUBREC)):
                client.send(Publish(TOPIC, b"lost", 0), Publish(TOPIC, b"x", qos, packet_id=9))
                assert await client.next() == p.Ack(kind, 9, p.QUOTA)
            journal.failure = None
            client.send(Publish(TOPIC, b"y", 2, packet_id=9))
            assert await client.next() == p.Ack(p.PUBREC, 9)
            client.send(p.Ack(p.PUBREL, 9), p.Ack(p.PUBREL, 9), p.Ping())
            assert await client.next() == p.Ack(p.PUBCOMP, 9)
            assert await client.next() == p.Ack(p.PUBCOMP, 9, p.ID_NOT_FOUND)
            assert await client.next() == p.Ping(p.PINGRESP)
        assert [body for _key, _topic, body in said(journal)] == [b"y"]

    run(work())


def test_nobody_takes_anothers_session() -> None:
    async def work() -> None:
        hub, journal = hub_of(spec("mqtt", "a", secret="s"), spec("mqtt", "b", secret="t", number=2))
        broker = Broker(hub, "127.0.0.1", 0)
        stays = {"session_expiry_interval": 60}
        async with serving(broker) as port:
            async with five(port, client_id="x", username="a", password=b"s", properties=stays) as (
                client,
                _answer,
            ):
                client.send(p.Subscribe(1, [Subscription("devices/a/commands", 1)]))
                await client.next()
            await until(lambda: broker.sessions["x"].client is None)
            broker.publish(Publish("devices/a/commands", b"secret", 1))
            async with five(
                port, client_id="x", username="b", password=b"t", clean=False, properties=stays
            ) as (_client, answer):
                assert not answer.session_present
                assert not broker.hears("devices/a/commands")
            for wrong in ({"username": "a"}, {"username": "a", "password": b"t"}, {"client_id": "a"}):
                async with five(port, **wrong) as (_client, answer):
                    assert answer.code in (p.BAD_CREDENTIALS, p.NOT_AUTHORIZED)
        assert [json.loads(record[2])["kind"] for record in journal.of(Kind.ODD)].count("refused") >= 1

    run(work())


def test_guessing_passwords_is_slow() -> None:
    async def work() -> None:
        hub, _journal = hub_of(spec("mqtt", "a", secret="s"), spec("mqtt", "b", secret="t", number=2))
        broker = Broker(hub, "127.0.0.1", 0)
        async with serving(broker) as port:
            for _number in range(MOST_FAILURES):
                async with five(port, username="a", password=b"guess") as (_client, answer):
                    assert answer.code == p.BAD_CREDENTIALS
            async with five(port, username="a", password=b"s") as (_client, answer):
                assert answer.code == p.BUSY  # even the right one, for a minute
            async with five(port, username="b", password=b"t") as (_client, answer):
                assert not answer.code  # nobody else suffers
            broker.guard._failed.clear()
            async with five(port, username="a", password=b"s") as (_client, answer):
                assert not answer.code

    run(work())


def test_sessions_are_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr(brokers, "MOST_SESSIONS", 3)

    async def work() -> None:
        hub, _journal = hub_of()
        broker = Broker(hub, "127.0.0.1", 0)
        stays = {"session_expiry_interval": 60}
        async with serving(broker) as port:
            for number in range(3):
                async with five(port, client_id=f"c{number}", properties=stays) as (_client, answer):
                    assert not answer.code
            async with five(port, client_id="c9") as (_client, answer):
                assert answer.code == p.BUSY
            await until(lambda: all(session.client is None for session in broker.sessions.values()))
            broker.sessions["c1"].left -= 100
            async with five(port, client_id="c9") as (_client, answer):
                assert not answer.code

    run(work())
