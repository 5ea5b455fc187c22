"""Terminals over real sockets, TCP and UDP: sessions, answers when durable, packages, replacement, commands."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from typing import Any

import pytest

from tests.gateway.kit import Client, hub_of, jt808, order_of, position, run, serving, spec, until
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.hub import Hub, MemoryJournal
from yuanmai.gateway.jt808.listener import Jt808Listener
from yuanmai.gateway.orders import Outcome

PHONE, KEY = "013912345678", "13912345678"


def listener(hub: Hub, **given: Any) -> Jt808Listener:
    return Jt808Listener(hub, "127.0.0.1", 0, **given)


def odd(journal: MemoryJournal) -> list[tuple[str, str]]:
    return [(key, json.loads(payload)["kind"]) for _kind, key, payload, _at in journal.of(Kind.ODD)]


def general(frame: bytes, header: int = 12) -> tuple[int, int, int, int]:
    """Message, and serial, message and result that it answers."""
    body = frame[header:]
    word = int.from_bytes
    return word(frame[:2], "big"), word(body[:2], "big"), word(body[2:4], "big"), body[4]


def test_register_authenticate_heartbeat_position_time_logout() -> None:
    async def play() -> None:
        hub, journal = hub_of(spec("jt808", KEY))
        async with serving(listener(hub)) as port:
            client = await Client.connect(port)
            registration = (
                bytes(4)
                + b"MAKER"
                + b"MODEL".ljust(20, b"\0")
                + b"T-00001"
                + b"\x01"
                + "湘A12345".encode("gbk")
            )
            await client.send(jt808(0x0100, registration, serial=7))
            answer = await client.marked()
            assert answer[:2] == b"\x81\x00"
            assert answer[12:15] == b"\x00\x07\x00"
            code = answer[15:]
            assert 8 <= len(code) <= 16
            assert code.isascii()
            # The same for ever, from the installation's key alone.
            digest = hmac.new(
                b"installation", b"jt808 authentication code\0" + KEY.encode(), hashlib.sha256
            ).digest()
            import base64

            assert code == base64.b32encode(digest)[:12]
            await client.send(jt808(0x0102, code, serial=8))
            assert general(await client.marked()) == (0x8001, 8, 0x0102, 0)
            await client.send(jt808(0x0002, b"", serial=9))
            assert general(await client.marked()) == (0x8001, 9, 0x0002, 0)
            await client.send(jt808(0x0200, position(), serial=10))
            assert general(await client.marked()) == (0x8001, 10, 0x0200, 0)
            await client.send(jt808(0x0004, b"", serial=11))
            clock = await client.marked()
            assert clock[:2] == b"\x80\x04"
            assert len(clock) == 18
            await client.send(jt808(0x0003, b"", serial=12))
            assert general(await client.marked()) == (0x8001, 12, 0x0003, 0)
            assert await client.ended()
            kinds = [kind for kind, _key, _payload, _at in journal.records]
            assert kinds == [Kind.CONNECTED, *[Kind.JT808] * 6, Kind.DISCONNECTED]
            assert json.loads(journal.records[-1][2])["reason"] == "logout"

    run(play())


def test_answers_come_when_it_is_durable_and_only_then() -> None:
    async def play() -> None:
        from yuanmai.devices.store.journal import JournalFull

        hub, journal = hub_of(spec("jt808", KEY), hold=True)
        async with serving(listener(hub)) as port:
            client = await Client.connect(port)
            await client.send(jt808(0x0200, position()))
            assert await client.nothing()
            journal.failure = JournalFull("no room")
            journal.release()
            assert await client.nothing()
            journal.failure = None
            await client.send(jt808(0x0200, position()))
            await until(lambda: journal.waiting)
            journal.release()
            assert general(await client.marked())[0] == 0x8001
            assert [payload for _k, _key, payload, _at in journal.of(Kind.JT808)] == [
                jt808(0x0200, position())
            ]

    run(play())


def test_the_edition_of_2019_is_answered_in_it() -> None:
    async def play() -> None:
        hub, _journal = hub_of(spec("jt808", KEY))
        async with serving(listener(hub)) as port:
            client = await Client.connect(port)
            await client.send(jt808(0x0002, b"", serial=3, since_2019=True))
            answer = await client.marked()
            assert answer[2] & 0x40
            assert answer[4] == 1
            assert answer[5:15] == bytes.fromhex(PHONE.rjust(20, "0"))
            assert general(answer, 17) == (0x8001, 3, 0x0002, 0)

    run(play())


@pytest.mark.parametrize("shared", [False, True])
def test_cut_at_every_byte_and_with_shared_marks(shared: bool) -> None:
    async def play() -> None:
        hub, _journal = hub_of(spec("jt808", KEY))
        async with serving(listener(hub)) as port:
            client = await Client.connect(port)
            stream = b"".join(
                jt808(0x0200, position(lat=0x7E7D7E7D & 0x4FFFFFFF), serial=n) for n in range(1, 4)
            )
            if shared:
                stream = stream.replace(b"\x7e\x7e", b"\x7e")
            for cut in range(1, len(stream), 5):
                await client.send(stream[:cut], stream[cut:], pause=0.001)
                assert [general(await client.marked())[1] for _n in range(3)] == [1, 2, 3]
                stream = b"".join(jt808(0x0200, position(), serial=n) for n in range(1, 4))

    run(play())


def test_nonsense_between_frames_is_passed_over() -> None:
    async def play() -> None:
        hub, journal = hub_of(spec("jt808", KEY))
        async with serving(listener(hub)) as port:
            client = await Client.connect(port)
            wrong = bytearray(jt808(0x0200, position()))
            wrong[20] ^= 1
            await client.send(
                b"(0123)"
                + jt808(0x0002, b"", serial=1)
                + bytes(wrong)
                + b"\x7e\x7e"
                + jt808(0x0002, b"", serial=2)
            )
            assert [general(await client.marked())[1] for _n in range(2)] == [1, 2]
            assert (f"jt808:{KEY}", "bad_checksum") in odd(journal)

    run(play())


def test_authentication_where_the_profile_wants_it() -> None:
    async def play() -> None:
        hub, journal = hub_of(spec("jt808", KEY, secret="plate-42", require_auth=True))
        async with serving(listener(hub)) as port:
            client = await Client.connect(port)
            await client.send(jt808(0x0200, position(), serial=1))
            assert general(await client.marked()) == (0x8001, 1, 0x0200, 1)
            await client.send(jt808(0x0102, b"wrong", serial=2))
            assert general(await client.marked()) == (0x8001, 2, 0x0102, 1)
            assert not list(journal.of(Kind.JT808, Kind.CONNECTED))
            await client.send(jt808(0x0102, b"plate-42", serial=3))
            assert general(await client.marked())[3] == 0
            await client.send(jt808(0x0200, position(), serial=4))
            assert general(await client.marked())[3] == 0
            assert {kind for _key, kind in odd(journal)} == {"unauthenticated", "bad_auth_code"}
            # Another number in the same connection is nobody.
            await client.send(jt808(0x0200, position(), phone="013900000000", serial=5))
            assert await client.nothing()
            assert (f"jt808:{KEY}", "foreign_phone") in odd(journal)
            for serial in range(30):
                await client.send(jt808(0x0200, position(), phone="013900000000", serial=serial))
            assert await client.ended()

    run(play())


def test_a_new_connection_of_the_same_terminal_replaces_the_old() -> None:
    async def play() -> None:
        device = spec("jt808", KEY)
        hub, journal = hub_of(device)
        server = listener(hub)
        async with serving(server) as port:
            old = await Client.connect(port)
            await old.send(jt808(0x0002, b"", serial=1))
            await old.marked()
            new = await Client.connect(port)
            await new.send(jt808(0x0002, b"", serial=1))
            await new.marked()
            assert await old.ended()
            told = [
                (kind, json.loads(payload).get("reason"))
                for kind, _k, payload, _at in journal.of(Kind.CONNECTED, Kind.DISCONNECTED)
            ]
            assert told == [(Kind.CONNECTED, None), (Kind.DISCONNECTED, "replaced"), (Kind.CONNECTED, None)]
            assert hub.commands.find(device) == server.present[KEY].talk.send
            assert len(server.connections) == 1

    run(play())


def test_packages_are_answered_and_the_missing_ones_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yuanmai.gateway.jt808.session.ASK_AFTER", 0.2)
    media = (77).to_bytes(4, "big") + bytes((0, 0, 1, 1)) + position() + b"\xff" * 900
    parts = [media[:400], media[400:800], media[800:]]

    async def play() -> None:
        hub, journal = hub_of(spec("jt808", KEY))
        async with serving(listener(hub)) as port:
            client = await Client.connect(port)
            for number in (1, 3):
                await client.send(jt808(0x0801, parts[number - 1], serial=9 + number, part=(3, number)))
                assert general(await client.marked()) == (0x8001, 9 + number, 0x0801, 0)
            asked = await client.marked()
            assert (asked[:2], asked[12:]) == (b"\x88\x00", b"\x00\x00\x00\x4d\x01\x00\x02")
            await client.send(jt808(0x0801, parts[1], serial=11, part=(3, 2)))
            answers = [await client.marked(), await client.marked()]
            done = next(answer for answer in answers if answer[:2] == b"\x88\x00")
            assert done[12:] == b"\x00\x00\x00\x4d"
            assert len(list(journal.of(Kind.JT808))) == 3
            # Of another message the packages are asked for by the serial of the first.
            await client.send(jt808(0x0704, bytes(10), serial=21, part=(2, 2)))
            await client.marked()
            asked = await client.marked()
            assert (asked[:2], asked[12:]) == (b"\x80\x03", b"\x00\x14\x01\x00\x01")

    run(play())


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.came: list[bytes] = []

    def datagram_received(self, data: bytes, _addr: Any) -> None:
        self.came.append(data)


def test_udp() -> None:
    async def play() -> None:
        device = spec("jt808", KEY)
        hub, journal = hub_of(device)
        server = listener(hub)
        async with serving(server) as port:
            loop = asyncio.get_running_loop()
            transport, client = await loop.create_datagram_endpoint(
                Datagrams, remote_addr=("127.0.0.1", port)
            )
            transport.sendto(b"\x00nonsense")
            transport.sendto(jt808(0x0200, position(), serial=5) + jt808(0x0200, position(), serial=6))
            await until(lambda: len(client.came) == 2)
            assert [general(frame[1:-2])[1] for frame in client.came] == [5, 6]
            sender = hub.commands.find(device)
            assert sender is not None
            task = asyncio.ensure_future(sender(order_of(device, "locate")))
            await until(lambda: len(client.came) == 3)
            serial = client.came[2][11:13]
            transport.sendto(jt808(0x0201, serial + position(), serial=7))
            outcome = await task
            assert outcome.state == "done"
            assert outcome.answer["values"]["latitude"] == 27.83
            transport.close()
            assert ("jt808:", "nonsense_datagram") in odd(journal)

    run(play())


async def ask(
    verb: str,
    script: Any,
    *,
    since_2019: bool = False,
    profile: dict[str, Any] | None = None,
    **parameters: Any,
) -> Any:
    device = spec("jt808", KEY, **(profile or {}))
    hub, _journal = hub_of(device)
    async with serving(listener(hub)) as port:
        client = await Client.connect(port)
        await client.send(jt808(0x0002, b"", serial=1, since_2019=since_2019))
        await client.marked()
        sender = hub.commands.find(device)
        assert sender is not None
        order = order_of(device, verb, **parameters)
        task = asyncio.ensure_future(sender(order))
        await script(client)
        return await task, order


def answer(asked: bytes, result: int = 0, serial: bytes = b"") -> bytes:
    return jt808(0x0001, (serial or asked[10:12]) + asked[:2] + bytes((result,)), serial=99)


def test_a_text_is_shown() -> None:
    async def script(client: Client) -> None:
        asked = await client.marked()
        assert (asked[:2], asked[12:]) == (b"\x83\x00", b"\x0d" + "减速".encode("gbk"))
        await client.send(answer(asked))

    outcome, order = run(ask("text", script, text="减速", urgent=True, display=True, speak=True))
    assert outcome == Outcome("done", {"code": "success"})
    assert [entry["direction"] for entry in order.trace] == ["out", "in"]


def test_a_circle_in_both_editions() -> None:
    given = {
        "area": 5,
        "latitude": 27.83,
        "longitude": 113.15,
        "radius": 200,
        "in_alarm_platform": True,
        "max_speed": 40,
        "name": "园区",
    }
    numbers = (27_830_000).to_bytes(4, "big") + (113_150_000).to_bytes(4, "big") + (200).to_bytes(4, "big")

    def script(header: int, body: bytes) -> Any:
        async def play(client: Client) -> None:
            asked = await client.marked()
            assert asked[:2] == b"\x86\x00"
            assert asked[header:].hex() == body.hex()
            serial = asked[header - 2 : header]
            await client.send(jt808(0x0001, serial + asked[:2] + b"\x00", serial=9, since_2019=header == 17))

        return play

    old = b"\x01\x01" + (5).to_bytes(4, "big") + b"\x00\x0a" + numbers + b"\x00\x28\x0a"
    assert run(ask("circle_set", script(12, old), **given))[0].state == "done"
    new = old + b"\x00\x28" + b"\x00\x04" + "园区".encode("gbk")
    assert run(ask("circle_set", script(17, new), since_2019=True, **given))[0].state == "done"


def test_parameters_are_read_back() -> None:
    async def script(client: Client) -> None:
        asked = await client.marked()
        body = (
            asked[10:12]
            + b"\x02"
            + b"\x00\x00\x00\x01\x04\x00\x00\x00\x3c"
            + b"\x00\x00\x00\x83\x08"
            + "湘A12345".encode("gbk")
        )
        await client.send(jt808(0x0104, body, serial=50))

    outcome, _order = run(ask("parameters_read", script))
    assert outcome.answer["values"] == {"heartbeat_s": 60, "plate": "湘A12345"}


def test_a_long_answer_in_packages_is_read_back() -> None:
    async def script(client: Client) -> None:
        asked = await client.marked()
        body = asked[10:12] + b"\x01" + b"\x00\x00\x00\x13\xc8" + b"x" * 200
        for number, part in enumerate((body[:100], body[100:]), 1):
            await client.send(jt808(0x0104, part, serial=59 + number, part=(2, number)))

    outcome, _order = run(ask("parameters_read", script))
    assert outcome.answer["values"] == {"server": "x" * 200}


def test_a_split_command_is_answered_under_its_last_serial() -> None:
    corners = [[113.0 + n / 1000, 27.0] for n in range(200)]

    async def script(client: Client) -> None:
        frames = [await client.marked(), await client.marked()]
        assert [frame[12:16] for frame in frames] == [b"\x00\x02\x00\x01", b"\x00\x02\x00\x02"]
        await client.send(answer(frames[1]))

    outcome, _order = run(ask("polygon_set", script, area=9, corners=corners))
    assert outcome.state == "done"


def test_refused_unsupported_and_unanswered() -> None:
    async def refuse(client: Client) -> None:
        await client.send(answer(await client.marked(), 3))

    outcome, _order = run(ask("control", refuse, control=4))
    assert outcome == Outcome("failed", {"code": "unsupported"})

    waits: list[float] = []

    async def ignore(client: Client) -> None:
        loop = asyncio.get_running_loop()
        first = await client.marked()
        for _n in range(2):
            begun = loop.time()
            assert await client.marked() == first
            waits.append(loop.time() - begun)

    outcome, order = run(ask("control", ignore, profile={"timeout": 0.15, "resends": 2}, control=4))
    assert (outcome, order.attempts) == (Outcome("timed_out", {"code": "timeout"}), 3)
    assert waits[1] > waits[0] * 1.5  # T(n+1) = T(n) · (n+1)
