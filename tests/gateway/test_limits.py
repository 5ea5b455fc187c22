"""What clients may do to the gateway: floods, stalls, slow bytes, nonsense, too many of them."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.kit import Client, hub_of, jt808, position, run, said, serving, spec, until, upload
from yuanmai.devices.store.records import Kind
from yuanmai.gateway import server as framework
from yuanmai.gateway.hj212.listener import Hj212Listener
from yuanmai.gateway.hub import Hub, Limits
from yuanmai.gateway.jt808.listener import Jt808Listener
from yuanmai.gateway.options import limits_of

pytestmark = pytest.mark.usefixtures("quick_sweeps")


def stations(hub: Hub, **given: Any) -> Hj212Listener:
    return Hj212Listener(hub, "127.0.0.1", 0, **given)


def test_a_frame_that_does_not_end_is_dropped_and_does_not_swallow_the_next() -> None:
    async def play() -> None:
        hub, journal = hub_of(spec("hj212", "MN0001"), limits=Limits(partial_seconds=0.8))
        async with serving(stations(hub)) as port:
            client = await Client.connect(port)
            await client.send(upload(qn="20260101000000001"))
            await client.line()
            await client.send(b"##9000QN=2026")  # claims more than will ever come
            await asyncio.sleep(1.2)
            await client.send(upload(qn="20260101000000002"))
            assert said(await client.line())["QN"].endswith("2")
            assert len(list(journal.of(Kind.HJ212))) == 2

    run(play())


def test_a_frame_without_line_end_is_taken_after_a_pause() -> None:
    async def play() -> None:
        hub, _journal = hub_of(spec("hj212", "MN0001"))
        async with serving(stations(hub)) as port:
            client = await Client.connect(port)
            await client.send(upload().rstrip())
            assert said(await client.line(2))["CN"] == "9014"

    run(play())


@pytest.mark.parametrize("make", [Hj212Listener, Jt808Listener])
def test_who_stalls_before_the_first_frame_is_dropped(make: Any) -> None:
    async def play() -> None:
        hub, _journal = hub_of(limits=Limits(partial_seconds=0.6, first_frame_seconds=0.8))
        server = make(hub, "127.0.0.1", 0)
        async with serving(server) as port:
            begun = await Client.connect(port)
            silent = await Client.connect(port)
            slow = await Client.connect(port)
            await begun.send(b"##0100QN" if make is Hj212Listener else b"\x7e\x02\x00")
            drip = b"##0999" if make is Hj212Listener else b"\x7e"
            task = asyncio.ensure_future(
                slow.send(*(drip + bytes((97 + n % 20,)) if not n else b"a" for n in range(40)), pause=0.1)
            )
            assert await begun.ended(3)
            assert await silent.ended(3)
            assert await slow.ended(5)
            task.cancel()
            assert not server.connections

    run(play())


def test_the_idle_are_cut_and_the_living_are_not() -> None:
    async def play() -> None:
        hub, journal = hub_of(spec("jt808", "13912345678"))
        server = Jt808Listener(hub, "127.0.0.1", 0, idle=0.5)
        async with serving(server) as port:
            idle, living = await Client.connect(port), await Client.connect(port)
            await idle.send(jt808(2, b"", phone="013900000001"))
            for serial in range(8):
                await living.send(jt808(2, b"", serial=serial))
                await living.marked()
                await asyncio.sleep(0.12)
            await idle.marked()
            assert await idle.ended(1)
            assert len(server.connections) == 1
            assert b'"idle"' in next(iter(journal.of(Kind.DISCONNECTED)))[2]

    run(play())


def test_nonsense_ends_the_connection() -> None:
    async def play() -> None:
        hub, _journal = hub_of(limits=Limits(nonsense_bytes=4096, nonsense_frames=5))
        for server in (stations(hub), Jt808Listener(hub, "127.0.0.1", 0)):
            async with serving(server) as port:
                noise, wrong = await Client.connect(port), await Client.connect(port)
                with_ends = (
                    upload().replace(b"12.5", b"12.6")
                    if isinstance(server, Hj212Listener)
                    else b"\x7e" + b"x" * 30 + b"\x7e"
                )
                for _n in range(12):
                    try:
                        await noise.send(b"GET / HTTP/1.1\r\n" * 40)
                        await wrong.send(with_ends, pause=0.01)
                    except ConnectionError:
                        break
                assert await noise.ended()
                assert await wrong.ended()

    run(play())


def test_random_bytes_on_every_port_do_no_harm() -> None:
    chance = random.Random(4)

    async def play() -> None:
        hub, _journal = hub_of(spec("hj212", "MN0001"), spec("jt808", "13912345678"))
        for server, good in (
            (stations(hub), upload()),
            (Jt808Listener(hub, "127.0.0.1", 0), jt808(0x0200, position())),
        ):
            async with serving(server) as port:
                sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                for _n in range(60):
                    client = await Client.connect(port)
                    place = chance.randrange(len(good))
                    pieces = [
                        chance.randbytes(chance.randrange(2000)),
                        good[:place] + chance.randbytes(3) + good[place:],
                        b"##" * 50,
                        b"\x7e" * 50,
                    ]
                    chance.shuffle(pieces)
                    await client.send(*pieces)
                    sender.sendto(chance.randbytes(chance.randrange(1400)), ("127.0.0.1", port))
                    client.close()
                sender.close()
                client = await Client.connect(port)
                await client.send(good)
                assert await asyncio.wait_for(client.reader.read(10), 5)
                assert "odd.hj212.listener_error" not in hub.counts
                assert "odd.jt808.listener_error" not in hub.counts

    run(play())


def test_who_is_too_fast_is_read_more_slowly_and_loses_nothing() -> None:
    async def play() -> None:
        hub, _journal = hub_of(
            spec("hj212", "MN0001"), limits=Limits(frames_per_second=1000, frames_burst=100)
        )
        async with serving(stations(hub)) as port:
            fast, other = await Client.connect(port), await Client.connect(port)
            begun = time.monotonic()
            frames = [upload(qn=f"2026010100000{n:04d}") for n in range(2_000)]
            sending = asyncio.ensure_future(fast.send(b"".join(frames)))
            await asyncio.sleep(0.1)
            now = time.monotonic()
            await other.send(upload(mn="OTHER"))
            await other.line()
            assert time.monotonic() - now < 0.5
            await sending
            requests = [said(await fast.line())["QN"] for _n in range(2_000)]
            assert requests == [f"2026010100000{n:04d}" for n in range(2_000)]
            # What is read in one go (64 KiB and more) is taken as a whole and waited for afterwards.
            assert time.monotonic() - begun > 0.3
            assert hub.counts["slowed"] >= 1

    run(play())


def test_who_takes_no_answers_is_not_read_and_then_dropped() -> None:
    async def play() -> None:
        hub, _journal = hub_of(
            limits=Limits(
                write_bytes=2048, stalled_seconds=0.6, frames_per_second=20_000, bytes_per_second=1e8
            )
        )
        server = stations(hub)
        async with serving(server) as port:
            blocked = socket.socket()
            blocked.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            blocked.connect(("127.0.0.1", port))
            blocked.setblocking(False)
            loop = asyncio.get_running_loop()
            data = upload() * 50

            async def flood() -> None:
                while True:
                    await loop.sock_sendall(blocked, data)

            task = asyncio.ensure_future(flood())
            await until(lambda: any(c.stalled_since for c in server.connections), 20)
            buffered = [c.transport.get_write_buffer_size() for c in server.connections]
            assert sum(buffered) < 1 << 20
            await until(lambda: not server.connections, 10)
            assert hub.counts["closed.hj212.stalled"] == 1
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            blocked.close()

    run(play())


def test_too_many_connections_are_refused_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framework, "is_local", lambda host: False)

    async def play() -> None:
        hub, _journal = hub_of(limits=Limits(connections=10, per_address=5))
        server = stations(hub)
        async with serving(server) as port:
            clients = [await Client.connect(port) for _n in range(8)]
            await until(lambda: hub.counts.get("refused.hj212.address", 0) == 3)
            await clients[0].send(upload())
            assert said(await clients[0].line())["CN"] == "9014"
            clients[1].close()
            await until(lambda: len(server.connections) == 4)
            again = await Client.connect(port)
            await again.send(upload())
            assert await again.line()

    run(play())


def test_many_stations_in_one_connection_have_an_end() -> None:
    async def play() -> None:
        hub, _journal = hub_of(limits=Limits(stations=5))
        async with serving(stations(hub)) as port:
            client = await Client.connect(port)
            await client.send(*(upload(mn=f"MN{n:04d}") for n in range(7)))
            assert await client.ended()

    run(play())


def test_nobody_is_read_while_the_journal_is_behind() -> None:
    async def play() -> None:
        hub, journal = hub_of(spec("hj212", "MN0001"), hold=True, high=1000)
        server = stations(hub)
        async with serving(server) as port:
            clients = [await Client.connect(port) for _n in range(20)]
            await until(lambda: len(server.connections) == 20)
            for _n in range(50):
                for client in clients:
                    client.writer.write(upload())
                await asyncio.sleep(0.002)
            await asyncio.sleep(0.2)
            assert hub.paused
            waiting = len(journal.waiting)
            assert waiting < 200  # of 1,000: the rest waits in the sockets
            late = await Client.connect(port)
            await asyncio.sleep(0.1)
            await late.send(upload())
            await asyncio.sleep(0.1)
            assert len(journal.waiting) == waiting
            journal.hold = False
            journal.release()
            for client in clients:
                for _n in range(50):
                    await client.line()
            await late.line()

    run(play())


@pytest.mark.slow
def test_ten_thousand_connections_of_which_half_stall() -> None:
    number = 10_000

    async def play() -> None:
        hub, journal = hub_of(limits=Limits(partial_seconds=3, first_frame_seconds=60))
        server = Jt808Listener(hub, "127.0.0.1", 0)
        framework.SWEEP = 1.0
        before = rss()
        async with serving(server) as port:
            loop = asyncio.get_running_loop()
            answered = 0

            class Terminal(asyncio.Protocol):
                def __init__(self, place: int) -> None:
                    self.place = place

                def connection_made(self, transport: Any) -> None:
                    frame = jt808(0x0200, position(), phone=f"{13_900_000_000 + self.place:012d}")
                    transport.write(frame if self.place % 2 else frame[:20])

                def data_received(self, data: bytes) -> None:
                    nonlocal answered
                    answered += 1

            for place in range(number):
                await loop.create_connection(lambda place=place: Terminal(place), "127.0.0.1", port)  # type: ignore[misc]
            await until(lambda: answered == number // 2, 60)
            # Both sides are in this process: what a connection takes here is twice what the gateway needs for it.
            assert rss() - before < 600 << 20
            client = await Client.connect(port)
            begun = time.monotonic()
            await client.send(jt808(0x0002, b"", phone="013800000000"))
            await client.marked()
            assert time.monotonic() - begun < 1
            await until(lambda: len(server.connections) <= number // 2 + 1, 30)
            assert len(list(journal.of(Kind.JT808))) == number // 2 + 1

    if os.sysconf("SC_OPEN_MAX") < 2 * number + 200:
        import resource

        _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 2 * number + 200:
            number = hard // 2 - 300
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    run(play(), 150)


def rss() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_limits_come_from_the_environment() -> None:
    limits = limits_of({"YUANMAI_GATEWAY_CONNECTIONS": "50", "YUANMAI_GATEWAY_PARTIAL_SECONDS": "2.5"})
    assert (limits.connections, limits.partial_seconds, limits.per_address) == (50, 2.5, Limits().per_address)
    with pytest.raises(ValueError, match="YUANMAI_GATEWAY_STATIONS=many"):
        limits_of({"YUANMAI_GATEWAY_STATIONS": "many"})
