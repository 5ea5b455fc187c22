"""Commands from the table to a device and back: sent, answered, refused, timed out, retried, taken over, kept secret."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connections
from django.utils import timezone

from tests.gateway.kit import Client, hj212, hub_of, run, said, upload
from yuanmai.core.audit.models import RoomVersion
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.devices.commands.actions import cancel_command, send_command
from yuanmai.devices.models import Command, Device
from yuanmai.gateway.claims import Claims
from yuanmai.gateway.downlink import Downlink
from yuanmai.gateway.hj212.listener import Hj212Listener
from yuanmai.gateway.hub import Hub

pytestmark = pytest.mark.django_db


class Database:
    """The thread that speaks with the database, by the connection of the test's transaction."""

    def __init__(self) -> None:
        shared = connections["default"]
        shared.inc_thread_sharing()
        self.shared = shared
        self.thread = ThreadPoolExecutor(1, initializer=lambda: connections.__setitem__("default", shared))

    async def ask(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.thread, work)


@pytest.fixture(autouse=True)
def database(monkeypatch: pytest.MonkeyPatch, db: None) -> Iterator[Database]:
    monkeypatch.setattr("yuanmai.gateway.downlink.close_old_connections", lambda: None)
    made = Database()
    monkeypatch.setattr(Station, "database", made, raising=False)
    yield made
    made.thread.shutdown()
    made.shared.dec_thread_sharing()


class Station:
    database: Database


@pytest.fixture
def station(make_device: Callable[..., Device]) -> Device:
    return make_device("hj212", "MN0001", profile={"timeout": 0.15, "resends": 1})


def ask(device: Device, verb: str = "clock_set", wait: float = 3600, **parameters: Any) -> Command:
    with everywhere():
        return send_command(SYSTEM, device, verb, parameters, timedelta(seconds=wait))


def now_of(row: Command) -> Command:
    with everywhere():
        return Command.objects.select_related("device").get(pk=row.pk)


class Kept(Executor):
    """The same thread, which outlives the gateway."""

    def submit(self, work: Any, /, *args: Any, **named: Any) -> Future[Any]:
        return Station.database.thread.submit(work, *args, **named)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        pass


async def seen(row: Command) -> Command:
    return await Station.database.ask(lambda: now_of(row))


@asynccontextmanager
async def gateway(name: str = "gate-1") -> Any:
    hub, _journal = hub_of()
    hub.name = name
    downlink = Downlink(hub, Claims(name), poll=0.02)
    downlink._thread = Station.database.thread
    server = Hj212Listener(hub, "127.0.0.1", 0)
    await downlink.prepare()
    await server.start()
    await downlink.start()
    try:
        yield hub, downlink, int(server.addresses[0].rpartition(":")[2])
    finally:
        await server.stop()
        downlink._thread = Kept()  # type: ignore[assignment]
        await downlink.stop()


async def state_is(row: Command, state: str, seconds: float = 5) -> Command:
    async with asyncio.timeout(seconds):
        while True:
            found = await seen(row)
            if found.state == state:
                return found
            await asyncio.sleep(0.01)


def reply(asked: dict[str, str], cn: str, cp: str) -> bytes:
    return hj212(f"QN={asked['QN']};ST=91;CN={cn};PW={asked['PW']};MN={asked['MN']};Flag=4;CP=&&{cp}&&")


def test_a_command_waits_for_its_device_and_is_answered(station: Device) -> None:
    row = ask(station, "realtime_interval_set", seconds=60)

    async def play() -> None:
        async with gateway() as (_hub, _downlink, port):
            await asyncio.sleep(0.1)
            assert (await seen(row)).state == "queued"
            client = await Client.connect(port)
            await client.send(upload(flag=4))
            asked = said(await client.line())
            assert asked["CN"] == "1062"
            async with asyncio.timeout(5):
                while not (sent := await seen(row)).attempts:
                    await asyncio.sleep(0.01)
            assert (sent.state, sent.gateway, sent.attempts, sent.request) == (
                "sent",
                "gate-1",
                1,
                asked["QN"],
            )
            await client.send(reply(asked, "9011", "QnRtn=1"))
            await state_is(row, "accepted")
            await client.send(reply(asked, "9012", "ExeRtn=1"))
            done = await state_is(row, "done")
            assert done.answer == {"code": "success"}
            assert [entry["direction"] for entry in done.trace] == ["out", "in", "in"]
            assert done.sent_at and done.answered_at and done.ended_at
            assert done.revision > row.revision
            assert done.lease_until is None

    run(play())


def test_refused_and_timed_out_and_answered_late(station: Device) -> None:
    refused, ignored = ask(station), ask(station, "clock_read")

    async def play() -> None:
        async with gateway() as (_hub, _downlink, port):
            client = await Client.connect(port)
            await client.send(upload(flag=4))
            asked = said(await client.line())
            await client.send(reply(asked, "9011", "QnRtn=2"))
            assert (await state_is(refused, "failed")).answer == {"code": "refused"}
            asked = said(await client.line())
            assert said(await client.line()) == asked
            late = await state_is(ignored, "timed_out")
            assert (late.answer, late.attempts) == ({"code": "timeout"}, 2)
            await client.send(reply(asked, "9011", "QnRtn=1"))
            async with asyncio.timeout(5):
                while len((await seen(ignored)).trace) < 3:
                    await asyncio.sleep(0.01)
            assert (await seen(ignored)).trace[-1]["direction"] == "late"
            assert (await seen(ignored)).state == "timed_out"

    run(play())


def test_what_waits_too_long_expires_and_what_is_cancelled_is_not_sent(station: Device) -> None:
    old, cancelled = ask(station, wait=10), ask(station)
    with everywhere():
        Command.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        cancel_command(SYSTEM, now_of(cancelled))

    async def play() -> None:
        async with gateway() as (_hub, _downlink, port):
            client = await Client.connect(port)
            await client.send(upload(flag=4))
            assert (await state_is(old, "timed_out")).answer == {"code": "expired"}
            assert await client.nothing(0.3)

    run(play())
    assert now_of(cancelled).state == "cancelled"


def test_a_broken_connection_makes_it_wait_again_under_the_same_number(station: Device) -> None:
    row = ask(station)

    async def play() -> None:
        async with gateway() as (_hub, _downlink, port):
            client = await Client.connect(port)
            await client.send(upload(flag=4))
            first = said(await client.line())
            client.close()
            waiting = await state_is(row, "queued")
            assert waiting.answer == {"code": "disconnected"}
            client = await Client.connect(port)
            await client.send(upload(flag=4))
            again = said(await client.line())
            assert again["QN"] == first["QN"]
            await client.send(reply(again, "9011", "QnRtn=1") + reply(again, "9012", "ExeRtn=1"))
            assert (await state_is(row, "done")).attempts == 2

    run(play())


def test_what_must_not_be_done_twice_ends_with_the_connection(make_device: Callable[..., Device]) -> None:
    row = ask(make_device("hj212", "MN0001"), "sample_now", factor="w01018")

    async def play() -> None:
        async with gateway() as (_hub, _downlink, port):
            client = await Client.connect(port)
            await client.send(upload(flag=4))
            await client.line()
            client.close()
            assert (await state_is(row, "failed")).answer == {"code": "interrupted"}

    run(play())


def test_a_gateway_that_stops_gives_its_commands_back(make_device: Callable[..., Device]) -> None:
    row = ask(make_device("hj212", "MN0001"))

    async def play() -> None:
        async with gateway() as (_hub, _downlink, port):
            client = await Client.connect(port)
            await client.send(upload(flag=4))
            first = said(await client.line())
            await state_is(row, "sent")
        assert (await seen(row)).state == "queued"
        async with gateway("gate-2") as (_hub, _downlink, port):
            client = await Client.connect(port)
            await client.send(upload(flag=4))
            assert said(await client.line())["QN"] == first["QN"]
            assert (await state_is(row, "sent")).gateway == "gate-2"

    run(play())


@pytest.mark.parametrize(("verb", "ends"), [("clock_set", "sent"), ("sample_now", "failed")])
def test_claims_of_a_dead_gateway_are_taken_over(
    make_device: Callable[..., Device], verb: str, ends: str
) -> None:
    row = ask(make_device("hj212", "MN0001"), verb, **({"factor": "w01018"} if verb == "sample_now" else {}))
    with everywhere():
        Command.objects.filter(pk=row.pk).update(
            state="sent",
            gateway="dead",
            attempts=1,
            request="20260101000000123",
            lease_until=timezone.now() + timedelta(seconds=0.3),
        )

    async def play() -> None:
        async with gateway() as (_hub, _downlink, port):
            client = await Client.connect(port)
            await client.send(upload(flag=4))
            assert await client.nothing(0.15)
            if ends == "sent":
                assert said(await client.line())["QN"] == "20260101000000123"
            async with asyncio.timeout(5):
                while (found := (await seen(row))).gateway == "dead" or found.state not in (ends, "failed"):
                    await asyncio.sleep(0.01)
            assert found.state == ends

    run(play())


def test_two_gateways_never_send_the_same(make_device: Callable[..., Device]) -> None:
    device = make_device("hj212", "MN0001")
    row = ask(device)
    first, second = Claims("one"), Claims("two")
    assert [number for number, _device in second.waiting()] == [row.pk]
    (mine,) = first.claim([row.pk], [])
    assert (mine.number, mine.taken_over) == (row.pk, False)
    assert second.claim([row.pk], []) == []
    assert second.write([], [row.pk]) == {row.pk}
    assert first.write([], [row.pk]) == set()


def test_a_new_password_is_not_kept(station: Device) -> None:
    row = ask(station, "password_set", password="s3cr3t")

    async def play() -> None:
        async with gateway() as (_hub, _downlink, port):
            client = await Client.connect(port)
            await client.send(upload(flag=4))
            asked = said(await client.line())
            assert asked["CP"] == "NewPW=s3cr3t"
            await client.send(reply(asked, "9011", "QnRtn=1") + reply(asked, "9012", "ExeRtn=1"))
            done = await state_is(row, "done")
            assert "s3cr3t" not in str(done.trace) + str(done.parameters)

    run(play())


def test_a_device_registered_later_is_known_at_once(make_device: Callable[..., Device]) -> None:
    async def play() -> None:
        async with gateway() as (hub, downlink, _port):
            downlink.claims._looked = 0.0

            def register() -> None:
                make_device("hj212", "MN0009")
                RoomVersion.objects.update_or_create(room="devices", defaults={"sequence": 99})

            await Station.database.ask(register)
            async with asyncio.timeout(5):
                while hub.find("hj212", "MN0009") is None:
                    downlink.claims._looked = 0.0
                    await asyncio.sleep(0.02)

    run(play())


def test_goes_on_when_the_database_is_away(station: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yuanmai.gateway.downlink.RETRY", 0.05)
    row = ask(station)

    class Flaky(Claims):
        broken = 5

        def waiting(self) -> list[tuple[int, int]]:
            self.broken -= 1
            if self.broken > 0:
                raise DatabaseError("away")
            return super().waiting()

    async def play() -> None:
        hub: Hub
        async with gateway() as (hub, downlink, port):
            downlink.claims.__class__ = Flaky
            begun = time.monotonic()
            client = await Client.connect(port)
            await client.send(upload())
            assert said(await client.line())["CN"] == "9014"
            assert time.monotonic() - begun < 1.5
            assert said(await client.line())["CN"] == "1012"
            assert hub is not None

    run(play())
    assert now_of(row).attempts >= 1
