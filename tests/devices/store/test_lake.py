"""Appending: exactly once, whatever is in the rows; other programs can read the table."""

from pathlib import Path

import numpy as np
import pytest
from deltalake import DeltaTable

from tests.devices.store.lake_help import DAY, HOUR, MINUTE, START, keys, make, open_lake, rows, series
from yuanmai.devices.engine.quality import CLOCK, NOT_A_NUMBER
from yuanmai.devices.store import columns
from yuanmai.devices.store.lake import AlreadyCommitted, Lake
from yuanmai.devices.store.query import Queries

EVER = (columns.FIRST, columns.LAST)


def test_what_is_appended_is_read_with_the_positions(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    assert lake.positions() == {}
    lake.append(series(7, 100), {"a": 5, "b": 1})
    lake.append(series(8, 10), {"a": 9})
    again = Lake(lake.url)
    assert again.positions() == {"a": 9, "b": 1} == again.durable_positions()
    found = Queries(again).raw([7], START, START + HOUR)
    assert keys(found) == [(7, START + i * MINUTE) for i in range(60)]
    assert found.value.tolist() == list(range(60))


def test_an_empty_lake_answers(tmp_path: Path) -> None:
    queries = Queries(open_lake(tmp_path))
    assert len(queries.raw(None, START, START + DAY)) == 0
    for step in ("raw", "hour", "day"):
        assert queries.history([1], START, START + DAY, step).num_rows == 0


def test_positions_never_go_back(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    lake.append(series(1, 3), {"a": 5})
    for sequence in (4, 5):
        with pytest.raises(AlreadyCommitted):
            lake.append(series(2, 3), {"a": sequence, "b": 1})
    assert lake.positions() == {"a": 5}
    assert len(Queries(lake).raw(None, *EVER)) == 3


def test_positions_move_without_readings(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    lake.append(columns.empty(), {"a": 1})
    assert Lake(lake.url).positions() == {"a": 1}
    version = lake.readings.snapshot().version
    assert lake.append(columns.empty(), {}) == version


def test_of_one_moment_the_last_received_counts(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    lake.append(
        make([(1, START, 2.0, 0, 20, 2), (1, START, 1.0, 0, 10, 9), (2, START, 5.0, 0, 10, 1)]), {"a": 1}
    )
    lake.append(make([(1, START, 3.0, 0, 15, 3), (2, START, 6.0, 0, 10, 2)]), {"a": 2})
    assert rows(Queries(lake).raw(None, START, START + 1)) == [
        (1, START, 2.0, 0, 20, 2),
        (2, START, 6.0, 0, 10, 2),
    ]


def test_what_is_no_number_is_kept_empty_and_marked(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    values = [np.nan, np.inf, -np.inf, 1e308, -0.0]
    lake.append(make((1, START + i, v, 0, 1, 1) for i, v in enumerate(values)), {"a": 1})
    found = Queries(lake).history([1], START, START + 10)
    assert found["value"].to_pylist() == [None, None, None, 1e308, -0.0]
    assert found["quality"].to_pylist() == [NOT_A_NUMBER] * 3 + [0, 0]


def test_clocks_of_1970_and_2106_and_beyond_stand_apart(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    times = [0, 2**32 * 1_000_000, -(2**62), 2**62]
    lake.append(
        make([(1, START, 1.0, 0, START, 1), *((1, t, 2.0, CLOCK, START, 1) for t in times)]), {"a": 1}
    )
    queries = Queries(Lake(lake.url))
    assert rows(queries.raw([1], *EVER)) == [(1, START, 1.0, 0, START, 1)]
    assert queries.misdated([1]).time.tolist() == [columns.FIRST, 0, 2**32 * 1_000_000, columns.LAST]


def test_columns_of_different_lengths_are_refused(tmp_path: Path) -> None:
    good = series(1, 3)
    with pytest.raises(ValueError, match="different lengths"):
        open_lake(tmp_path).append(type(good)(good.point[:2], good.time, good.value, good.quality, good.received, good.sequence), {})  # fmt: skip


def test_others_read_the_table(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    lake.append(series(7, 100), {"a": 5})
    lake.append(series(8, 10), {"a": 9})
    for _ in range(2):
        table = DeltaTable(lake.readings.files.root)
        assert table.count() == 110
        assert table.transaction_version("journal:a") == 9
        assert table.to_pyarrow_table().column_names == [*columns.SCHEMA.names, "level", "day"]
        lake.readings.checkpoint()
    assert Lake(lake.url).positions() == {"a": 9}


def test_a_reader_in_another_process_sees_new_rows(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    other = Queries(Lake(lake.url))
    assert len(other.raw([1], *EVER)) == 0
    lake.append(series(1, 5), {"a": 1})
    assert len(other.raw([1], *EVER)) == 5
