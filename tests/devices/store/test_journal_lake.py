"""Journal and lake together through power cuts: what was acknowledged is in the lake once, however often it had to be replayed."""

import os
import random
import shutil
import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.devices.store.lake_help import START, make
from tests.devices.store.synced import power_cut, watching
from yuanmai.devices.store.journal import Journal, Reader
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.records import Kind
from yuanmai.devices.store.upkeep import maintain

CUTS = 220
ROW = struct.Struct("<iqd")


def payload_of(sequence: int) -> bytes:
    """Three readings that follow from the sequence: points 0 to 2, one moment."""
    return b"".join(ROW.pack(point, START + sequence * 1_000_000, sequence + point / 4) for point in range(3))


def drain(folder: Path, lake: Lake, limit: int = 1 << 20) -> None:
    """What the ingest process does: go on from where the lake stands."""
    reader = Reader(folder)
    after = lake.positions().get(reader.stream, 0)
    while rows := reader.read(after, limit):
        readings = make(
            (point, time, value, 0, time + 5, row.sequence)
            for row in rows
            for point, time, value in ROW.iter_unpack(row.payload)
        )
        after = rows[-1].sequence
        lake.append(readings, {reader.stream: after})
    assert reader.damages == []
    reader.close()


def contents(lake: Lake) -> Counter[tuple[int, int, float, int]]:
    """Every row in every file of the lake, with how often it is there."""
    found: Counter[tuple[int, int, float, int]] = Counter()
    for file in lake.readings.snapshot().files:
        table = pq.ParquetFile(lake.readings.files.uri(file.path)).read()
        columns = [table[name].to_numpy() for name in ("point", "time", "value", "sequence")]
        found.update(
            zip(
                columns[0].tolist(),
                columns[1].astype(np.int64).tolist(),
                *(column.tolist() for column in columns[2:]),
                strict=True,
            )
        )
    return found


def expected(last: int) -> Counter[tuple[int, int, float, int]]:
    return Counter(
        (point, time, value, sequence)
        for sequence in range(1, last + 1)
        for point, time, value in ROW.iter_unpack(payload_of(sequence))
    )


@pytest.mark.slow
def test_power_cuts_of_journal_and_lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The power goes at each sync of writer and ingest, with upkeep and pruning among them; a new start loses and doubles nothing."""
    chance = random.Random(5)
    live = tmp_path / "live"
    live.mkdir()
    with watching(live, monkeypatch) as watch:
        lake = Lake(str(live / "lake"))
        with Journal.open(live, "journal", segment_bytes=3_000) as journal:
            for turn in range(60):
                for _number in range(chance.choice((1, 3, 8))):
                    journal.append(
                        Kind.READINGS, "test", payload_of(journal.last + 1 + len(journal._buffer)), turn
                    )
                watch.notes.append(journal.sync())
                if turn % 3 == 2:
                    drain(live / "journal", lake, chance.choice((500, 1 << 20)))
                if turn % 15 == 14:
                    maintain(lake, quiet=0, everything=True)
                if turn % 9 == 8:
                    journal.prune(lake.durable_positions()[journal.stream])
            drain(live / "journal", lake)
            assert contents(lake) == expected(journal.last)
    assert len(watch.instants) >= CUTS
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda _handle: None)
    replayed = 0
    for number in [round(part * (len(watch.instants) - 1) / (CUTS - 1)) for part in range(CUTS)]:
        instant = watch.instants[number]
        acknowledged = watch.notes[instant.known - 1] if instant.known else 0
        target = tmp_path / "cut"
        power_cut(instant, random.Random(number), target)
        with Journal.open(target, "journal", segment_bytes=3_000) as journal:
            assert journal.damages == [], number
            assert journal.last >= acknowledged, number
            lake = Lake(str(target / "lake"))
            stood = lake.positions().get(journal.stream, 0)
            assert stood <= journal.last, number
            replayed += journal.last - stood
            drain(target / "journal", lake)
            assert contents(lake) == expected(journal.last), number
            journal.append(Kind.READINGS, "test", payload_of(journal.last + 1), 0)
            journal.sync()
            drain(target / "journal", lake)
            if number % 5 == 0:
                maintain(lake, quiet=0, everything=True)
            assert contents(lake) == expected(journal.last), number
        shutil.rmtree(target)
    assert replayed > CUTS  # replay was needed, not only allowed
