"""What must survive a restart beside the lake: counts, presence, the last values of watched points, births, open packages.

It is written just after a commit of the lake, when everything decoded is in there, so it names the same positions. After a
crash the journals are read from these positions again; what the lake has got meanwhile is decoded for its effects only.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from yuanmai.gateway.ingest.decode import Decoder
from yuanmai.gateway.ingest.hj212 import Station
from yuanmai.gateway.ingest.presence import NUMBERS
from yuanmai.gateway.ingest.refine import NEVER, Carry
from yuanmai.gateway.ingest.tally import Count, Stranger, Tally
from yuanmai.protocols.jt808.packages import Assembler

FORM = 1
NAME = ".ingest.json"


def boot() -> str:
    """Return what tells one start of this machine from another."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def save(
    folder: Path, positions: dict[str, int], decoder: Decoder, carry: Carry, adoptions: list[dict[str, Any]]
) -> None:
    """Write the state beside the journals, whole or not at all. Raises OSError."""
    slots, presence = decoder.slots, decoder.presence
    presence.settle()
    known = np.flatnonzero((carry.time[: slots.count] != NEVER) | (carry.kept_time[: slots.count] != NEVER))
    document = {
        "form": FORM,
        "boot": boot(),
        "positions": positions,
        "adoptions": adoptions,
        "tally": _tally(decoder.tally),
        "presence": {
            "device": slots.device,
            **{name: _plain(getattr(presence, name)) for name, _kind, _empty in NUMBERS},
            "address": presence.address,
            "gateway": presence.gateway,
        },
        "carry": {
            "point": slots.point[known],
            **{
                name: _plain(getattr(carry, name)[known])
                for name in ("time", "value", "kept_time", "kept_value")
            },
        },
        "nodes": decoder.nodes.plain(),
        "stations": {
            key: [
                [list(name), station.times.get(name, ""), sorted(numbers)]
                for name, numbers in station.packages.items()
            ]
            for key, station in decoder.stations.items()
            if station.packages
        },
        "parts": {phone: parts.plain() for phone, parts in decoder.parts.items() if parts.unfinished},
    }
    data = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)
    target = folder / NAME
    beside = target.with_suffix(".new")
    with beside.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    beside.replace(target)


def load(folder: Path) -> dict[str, Any] | None:
    """Return what was saved, nothing where there is none that can be read."""
    try:
        document = orjson.loads((folder / NAME).read_bytes())
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) and document.get("form") == FORM else None


def restore(document: dict[str, Any], decoder: Decoder, carry: Carry) -> None:
    """Put a saved state into a decoder and a carry of the present register."""
    slots, presence = decoder.slots, decoder.presence
    told = document["presence"]
    places = {number: index for index, number in enumerate(slots.device.tolist())}
    old = [place for place, number in enumerate(told["device"]) if number in places]
    new = np.array([places[told["device"][place]] for place in old], np.int64)
    for name, kind, empty in NUMBERS:
        column = np.array([empty if value is None else value for value in told[name]], kind)
        getattr(presence, name)[new] = column[old]
    for place, index in zip(old, new.tolist(), strict=True):
        presence.address[index], presence.gateway[index] = told["address"][place], told["gateway"][place]
    kept = document["carry"]
    where = slots.of_points(np.array(kept["point"], np.int64))
    here = where < slots.count
    for name in ("time", "value", "kept_time", "kept_value"):
        column = getattr(carry, name)
        values = np.array([np.nan if value is None else value for value in kept[name]], column.dtype)
        column[where[here]] = values[here]
    decoder.nodes.restore(document["nodes"])
    for key, packages in document["stations"].items():
        station = decoder.stations[key] = Station()
        for name, time, numbers in packages:
            station.times[name[0], name[1]] = time
            station.packages[name[0], name[1]] = set(numbers)
    for phone, plain in document["parts"].items():
        decoder.parts[phone] = Assembler()
        decoder.parts[phone].restore(plain)
    _restore_tally(document["tally"], decoder.tally)
    # Whether the tables had all of it when the process ended, nobody knows: they are written once more.
    presence.dirty[new] = True
    decoder.tally.changed_odd.update(decoder.tally.odd)
    decoder.tally.changed_strangers.update(decoder.tally.strangers)


def _plain(column: Any) -> Any:
    """Return a column as JSON takes it: NaN as null."""
    return column if column.dtype.kind != "b" else column.tolist()


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "odd": [[device, kind, one.count, one.first, one.last, one.sample] for (device, kind), one in tally.odd.items()],
        "strangers": [
            [*key, one.stream, one.first_sequence, one.first, one.last, one.frames, one.address, one.sample, one.sampled]
            for key, one in tally.strangers.items()
        ],
    }  # fmt: skip


def _restore_tally(told: dict[str, Any], tally: Tally) -> None:
    for device, kind, count, first, last, sample in told["odd"]:
        tally.put(device, kind, Count(count, first, last, sample))
    for protocol, key, stream, sequence, first, last, frames, address, sample, sampled in told["strangers"]:
        tally.strangers[protocol, key] = Stranger(
            stream, sequence, first, last, frames, address, sample, sampled
        )
