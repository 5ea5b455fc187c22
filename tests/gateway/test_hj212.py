"""Stations over real sockets: acknowledged when durable, several in one connection, oddities counted, commands answered or not."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.gateway.kit import (
    Client,
    crc_modbus,
    hj212,
    hub_of,
    order_of,
    run,
    said,
    serving,
    spec,
    until,
    upload,
)
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.hj212.listener import Hj212Listener
from yuanmai.gateway.hub import Hub, MemoryJournal
from yuanmai.gateway.orders import Outcome


def listener(hub: Hub, **given: Any) -> Hj212Listener:
    return Hj212Listener(hub, "127.0.0.1", 0, **given)


def odd(journal: MemoryJournal) -> list[tuple[str, str]]:
    return [(key, json.loads(payload)["kind"]) for _kind, key, payload, _at in journal.of(Kind.ODD)]


def test_acknowledged_only_when_durable() -> None:
    async def play() -> None:
        hub, journal = hub_of(spec("hj212", "MN0001"), hold=True)
        async with serving(listener(hub)) as port:
            client = await Client.connect(port)
            await client.send(upload())
            assert await client.nothing()
            assert not journal.records
            journal.release()
            answer = said(await client.line())
            assert answer == {
                "QN": "20260101000000001", "ST": "91", "CN": "9014", "PW": "123456", "MN": "MN0001", "Flag": "4", "CP": ""
            }  # fmt: skip
            assert [(key, payload) for _k, key, payload, _at in journal.of(Kind.HJ212)] == [
                ("MN0001", upload())
            ]

    run(play())


def test_no_answer_where_none_is_wanted_or_nothing_is_kept() -> None:
    async def play() -> None:
        from yuanmai.devices.store.journal import JournalFull

        hub, journal = hub_of(spec("hj212", "MN0001"))
        async with serving(listener(hub)) as port:
            client = await Client.connect(port)
            await client.send(upload(flag=4))
            assert await client.nothing()
            journal.failure = JournalFull("no room")
            await client.send(upload(qn="20260101000000002"))
            assert await client.nothing()
            assert hub.trouble is not None
            journal.failure = None
            await client.send(upload(qn="20260101000000002"))
            assert said(await client.line())["QN"] == "20260101000000002"
            assert hub.trouble is None

    run(play())


def test_cut_at_every_byte_and_all_at_once() -> None:
    first, second = (
        upload(qn="20260101000000001"),
        upload(qn="20260101000000002", flag=7, cp="PNUM=2;PNO=1;x-Rtd=1"),
    )

    async def play() -> None:
        hub, journal = hub_of(spec("hj212", "MN0001"))
        async with serving(listener(hub)) as port:
            client = await Client.connect(port)
            both = first + second
            for cut in range(1, len(both), 7):
                await client.send(both[:cut], both[cut:], pause=0.002)
                assert said(await client.line())["QN"].endswith("1")
                assert said(await client.line())["QN"].endswith("2")
            for place in range(len(first)):
                await client.send(first[place : place + 1])
            assert said(await client.line())["CN"] == "9014"
            assert {bytes(payload) for _k, _key, payload, _at in journal.of(Kind.HJ212)} == {first, second}

    run(play())


def test_goes_on_after_nonsense_and_names_foreign_checksums() -> None:
    async def play() -> None:
        hub, journal = hub_of(spec("hj212", "MN0001"), spec("hj212", "MODBUS", number=2, crc="modbus"))
        async with serving(listener(hub)) as port:
            client = await Client.connect(port)
            wrong = upload().replace(b"12.5", b"12.6")
            await client.send(b"\x00\xffgarbage##99" + wrong + b"##" + upload())
            assert said(await client.line())["CN"] == "9014"
            assert ("hj212:MN0001", "bad_crc") in odd(journal)
            # Registered as one that sums in another way: taken, answered in its way.
            segment = "QN=20260101000000003;ST=32;CN=2011;PW=123456;MN=MODBUS;Flag=5;CP=&&DataTime=20260101000000;w01018-Rtd=1&&"
            await client.send(hj212(segment, crc_modbus))
            answer = await client.line()
            assert int(answer[-4:], 16) == crc_modbus(answer[6:-4])
            # Not registered: refused, and the reason is named.
            await client.send(hj212(segment.replace("MN=MODBUS", "MN=MN0001"), crc_modbus))
            await until(lambda: ("hj212:MN0001", "crc_modbus") in odd(journal))

    run(play())


def test_several_stations_in_one_connection_and_one_that_comes_again() -> None:
    async def play() -> None:
        hub, journal = hub_of(spec("hj212", "MN0001"), spec("hj212", "MN0002", number=2))
        server = listener(hub)
        async with serving(server) as port:
            client = await Client.connect(port)
            await client.send(upload(mn="MN0001") + upload(mn="MN0002") + upload(mn="STRANGER"))
            assert [said(await client.line())["MN"] for _n in range(3)] == ["MN0001", "MN0002", "STRANGER"]
            other = await Client.connect(port)
            await other.send(upload(mn="MN0001", qn="20260101000000009"))
            await other.line()
            client.close()
            await until(lambda: len(server.connections) == 1)
            told = [(kind, key) for kind, key, _p, _at in journal.of(Kind.CONNECTED, Kind.DISCONNECTED)]
            gone = {key for kind, key in told if kind == Kind.DISCONNECTED}
            assert gone == {"hj212:MN0002", "hj212:STRANGER"}
            assert hub.commands.find(hub.registry.devices[1]) is not None
            assert hub.commands.find(hub.registry.devices[2]) is None

    run(play())


def test_a_wrong_password_is_refused_where_the_register_knows_the_right_one() -> None:
    async def play() -> None:
        hub, journal = hub_of(
            spec("hj212", "MN0001", secret="s3cret"),
            spec("hj212", "MN0002", number=2, secret="x", password="note"),
        )
        async with serving(listener(hub)) as port:
            client = await Client.connect(port)
            await client.send(upload(pw="123456"))
            assert await client.nothing()
            assert not list(journal.of(Kind.HJ212, Kind.CONNECTED))
            await client.send(upload(pw="s3cret"))
            assert said(await client.line())["PW"] == "s3cret"
            await client.send(upload(mn="MN0002"))
            assert said(await client.line())["MN"] == "MN0002"
            assert {("hj212:MN0001", "bad_password"), ("hj212:MN0002", "bad_password")} <= set(odd(journal))

    run(play())


def test_a_notification_is_acknowledged_and_the_clock_set() -> None:
    async def play() -> None:
        hub, _journal = hub_of(spec("hj212", "MN0001"))
        async with serving(listener(hub)) as port:
            client = await Client.connect(port)
            await client.send(upload(cn="1013", cp="PolId=w01018"))
            answers = {said(await client.line())["CN"], said(await client.line())["CN"]}
            assert answers == {"9013", "1012"}

    run(play())


def test_the_first_greeting_follows_the_profile() -> None:
    async def play() -> None:
        greet = {
            "clock": True,
            "timeout": 5,
            "resends": 2,
            "realtime_seconds": 60,
            "minute_minutes": 10,
            "realtime": True,
            "equipment": False,
        }
        hub, journal = hub_of(spec("hj212", "MN0001", greet=greet))
        async with serving(listener(hub)) as port:
            client = await Client.connect(port)
            await client.send(upload(flag=4))
            commands = []
            for number in ("1012", "1000", "1062", "1064", "2011", "2022"):
                asked = said(await client.line())
                commands.append((asked["CN"], asked["CP"]))
                assert asked["CN"] == number
                code = "2" if number == "1064" else "1"
                await client.send(reply(asked, "9011", f"QnRtn={code}"))
                if code == "1":
                    await client.send(reply(asked, "9012", "ExeRtn=1"))
            assert commands[1:4] == [
                ("1000", "OverTime=5;ReCount=2"),
                ("1062", "RtdInterval=60"),
                ("1064", "MinInterval=10"),
            ]
            await until(lambda: ("hj212:MN0001", "greeting_refused") in odd(journal))
            again = await Client.connect(port)
            await again.send(upload(flag=4))
            assert await again.nothing()

    run(play())


def reply(asked: dict[str, str], cn: str, cp: str, flag: int = 4) -> bytes:
    return hj212(f"QN={asked['QN']};ST=91;CN={cn};PW={asked['PW']};MN={asked['MN']};Flag={flag};CP=&&{cp}&&")


async def ask(profile: dict[str, Any], verb: str, script: Any, **parameters: Any) -> tuple[Outcome, Any]:
    device = spec("hj212", "MN0001", **profile)
    hub, _journal = hub_of(device)
    async with serving(listener(hub)) as port:
        client = await Client.connect(port)
        await client.send(upload(flag=4))
        await until(lambda: hub.commands.find(device))
        sender = hub.commands.find(device)
        assert sender is not None
        order = order_of(device, verb, **parameters)
        task = asyncio.ensure_future(sender(order))
        await script(client)
        return await task, order


def test_a_command_is_answered() -> None:
    async def script(client: Client) -> None:
        asked = said(await client.line())
        assert (asked["CN"], asked["CP"], asked["Flag"], asked["ST"]) == ("1062", "RtdInterval=60", "5", "32")
        assert len(asked["QN"]) == 17
        await client.send(reply(asked, "9011", "QnRtn=1"), reply(asked, "9012", "ExeRtn=1"), pause=0.05)

    outcome, order = run(ask({}, "realtime_interval_set", script, seconds=60))
    assert (outcome.state, outcome.answer["code"]) == ("done", "success")
    assert [entry["direction"] for entry in order.trace] == ["out", "in", "in"]
    assert order.state == "accepted"


def test_what_is_read_comes_back() -> None:
    async def script(client: Client) -> None:
        asked = said(await client.line())
        await client.send(reply(asked, "9011", "QnRtn=1"))
        await client.send(reply(asked, "1061", "RtdInterval=30"))
        await client.send(reply(asked, "9012", "ExeRtn=1"))

    outcome, _order = run(ask({}, "realtime_interval_read", script))
    assert outcome == Outcome("done", {"code": "success", "uploads": 1, "values": {"RtdInterval": "30"}})


def test_history_comes_under_numbers_of_its_own() -> None:
    async def script(client: Client) -> None:
        asked = said(await client.line())
        assert asked["CP"] == "BeginTime=20260101000000;EndTime=20260101010000"
        await client.send(reply(asked, "9011", "QnRtn=1"))
        for minute in range(3):
            await client.send(
                upload(
                    qn=f"2026010200000000{minute}",
                    cn="2051",
                    flag=5,
                    cp=f"DataTime=20260101000{minute}00;w01018-Avg=1",
                )
            )
            assert said(await client.line())["CN"] == "9014"
        await client.send(reply(asked, "9012", "ExeRtn=1"))

    outcome, _order = run(
        ask({}, "history_minute", script, begin="2025-12-31T16:00:00+00:00", end="2025-12-31T17:00:00+00:00")
    )
    assert outcome == Outcome("done", {"code": "success", "uploads": 3})


def test_a_refusal_a_failure_and_a_time_out() -> None:
    async def refuse(client: Client) -> None:
        await client.send(reply(said(await client.line()), "9011", "QnRtn=2"))

    async def fail(client: Client) -> None:
        asked = said(await client.line())
        await client.send(reply(asked, "9011", "QnRtn=1") + reply(asked, "9012", "ExeRtn=5"))

    async def ignore(client: Client) -> None:
        asked = [said(await client.line()) for _n in range(3)]
        assert asked[0] == asked[1] == asked[2]  # the same bytes under the same QN
        assert await client.nothing(0.3)

    assert run(ask({}, "clock_set", refuse))[0] == Outcome("failed", {"code": "refused"})
    assert run(ask({}, "clock_set", fail))[0] == Outcome("failed", {"code": "busy"})
    outcome, order = run(ask({"timeout": 0.1, "resends": 2}, "clock_set", ignore))
    assert (outcome, order.attempts) == (Outcome("timed_out", {"code": "timeout"}), 3)


def test_a_late_answer_is_noted() -> None:
    async def script(client: Client) -> None:
        asked = said(await client.line())
        await asyncio.sleep(0.15)
        await client.send(reply(asked, "9011", "QnRtn=1"))
        await asyncio.sleep(0.1)

    async def play() -> None:
        outcome, order = await ask({"timeout": 0.05, "resends": 0}, "clock_set", script)
        order.ended = True
        assert outcome.state == "timed_out"
        assert [entry["direction"] for entry in order.trace][:1] == ["out"]
        assert len(order.trace) == 2

    run(play())


def test_a_connection_that_ends_leaves_the_command_waiting() -> None:
    async def script(client: Client) -> None:
        await client.line()
        client.close()

    outcome, order = run(ask({}, "clock_set", script))
    assert outcome.state == "queued"
    assert order.request
