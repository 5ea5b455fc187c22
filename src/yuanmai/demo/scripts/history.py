"""A week of readings behind the devices of the demonstration, so that charts and trial runs of rules have something to show.

Made by the same simulators that play the devices from now on. One station is silent for some hours: a gap is to be seen as one.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.conf import settings

from yuanmai.core.scope import everywhere
from yuanmai.demo.simulators.mqtt import Gate, Lamp, Sensor, Thing
from yuanmai.demo.simulators.park import clients
from yuanmai.demo.simulators.station import FACTORS, Station
from yuanmai.demo.simulators.stats import Stats
from yuanmai.devices.models import Point
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.readings import Readings

SPAN, STEP = timedelta(days=7), timedelta(minutes=10)
CLOSELY = timedelta(minutes=1)  # of stations where something goes wrong now and then
SILENT = "dust-01"
SILENCE = (timedelta(hours=31), timedelta(hours=25))  # before the end
SOURCE = "demonstration"  # the stream whose position says that the history is there
Say = Callable[[float], dict[str, float]]


def load(now: datetime) -> int:
    """Append the week before `now` to the lake of this installation; returns the number of readings, 0 where they are there."""
    lake = Lake(settings.LAKE)
    if SOURCE in lake.positions():
        return 0
    end = now.replace(minute=now.minute // 10 * 10, second=0, microsecond=0)
    points: list[int] = []
    times: list[int] = []
    values: list[float] = []
    for code, say, numbers, step in _speakers():
        for index in range(SPAN // step):
            moment = end - SPAN + step * index
            if code == SILENT and end - SILENCE[0] <= moment < end - SILENCE[1]:
                continue
            at = moment.timestamp()
            for address, value in say(at).items():
                if address in numbers:
                    points.append(numbers[address])
                    times.append(int(at) * 1_000_000)
                    values.append(value)
    moment_of = np.array(times, dtype=np.int64)
    lake.append(
        Readings(
            np.array(points, dtype=np.int32), moment_of, np.array(values, dtype=np.float64),
            np.zeros(len(points), dtype=np.int16), moment_of, np.zeros(len(points), dtype=np.int64),
        ),
        {SOURCE: 1},
    )  # fmt: skip
    return len(points)


def _speakers() -> Iterator[tuple[str, Say, dict[str, int], timedelta]]:
    """Yield the registered devices that are simulated: code, what they say at a moment by address, points by address, how often."""
    known: dict[tuple[str, str], tuple[str, dict[str, int]]] = {}
    with everywhere():
        rows = Point.objects.filter(device__synthetic=True).values_list(
            "device__protocol", "device__key", "device__code", "address", "pk"
        )
        for protocol, key, code, address, pk in rows:
            known.setdefault((protocol, key), (code, {}))[1][address] = pk
    for client in clients("", Stats()):
        if isinstance(client, Station) and ("hj212", client.mn) in known:
            code, numbers = known["hj212", client.mn]
            yield code, _station(client), numbers, CLOSELY if client.surge else STEP
        elif isinstance(client, Lamp | Gate | Sensor) and ("mqtt", client.name) in known:
            code, numbers = known["mqtt", client.name]
            yield code, _thing(client), numbers, STEP


def _station(station: Station) -> Say:
    return lambda at: {
        f"{code}-Rtd": round(station.value(code, at), digits)
        for code, (_usual, digits) in FACTORS[station.kind].items()
    }


def _thing(thing: Thing) -> Say:
    return lambda at: dict(_flat(thing.values(at)))


def _flat(values: dict[str, Any], above: str = "") -> Iterator[tuple[str, float]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield above + name, float(value)
