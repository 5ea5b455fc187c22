"""kill -9 in the middle of appending, sorting, compacting, rolling up, folding and sweeping: all of it, once."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.devices.store.keep_appending import ROWS, batch
from yuanmai.devices.store import columns, rollup, upkeep
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.query import Queries

EVER = (columns.FIRST, columns.LAST)
SOURCE = Path(__file__).parents[3] / "src"
KILLS = int(os.environ.get("YUANMAI_KILLS", "4"))


@pytest.mark.slow
def test_what_was_committed_is_there_once_whenever_it_is_killed(tmp_path: Path) -> None:
    chance = random.Random(4)
    folder, said = tmp_path / "lake", 0
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("keep_appending.py")), str(folder)],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(SOURCE)},
        )  # fmt: skip
        assert process.stdout
        first = int(process.stdout.readline())
        assert first >= said
        said = int(process.stdout.readline())  # what it loads for its first commit takes a while
        time.sleep(chance.uniform(0.05, 2.0))
        process.kill()
        rest = process.stdout.read().split()
        process.wait()
        said = int(rest[-1]) if rest else said
        lake = Lake(str(folder))
        assert lake.faults() == []
        position = lake.positions().get("a", 0)
        assert said <= position <= said + 1
        found = Queries(lake).raw(None, *EVER)
        expected = columns.settle(columns.join([batch(number) for number in range(1, position + 1)]))
        assert len(found) == position * ROWS
        assert np.array_equal(found.time, expected.time) and np.array_equal(found.value, expected.value)
        hours = Queries(lake).hours(None, *EVER)
        for name in rollup.SCHEMA.names:
            ours, theirs = getattr(hours, name), getattr(rollup.hourly(expected), name)
            assert ours.tobytes() == theirs.tobytes()
    assert said > KILLS
    upkeep.maintain(lake, 2e9, everything=True)
    assert len(Queries(lake).raw(None, *EVER)) == lake.positions()["a"] * ROWS
    assert upkeep.scrub(lake) == []
