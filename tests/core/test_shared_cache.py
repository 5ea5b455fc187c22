"""The cache that the web processes of a machine share: figures computed once, everything else private."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.cache.backends import locmem

from yuanmai.core.web.shared_cache import SharedCache


def process(folder: Path) -> SharedCache:
    """A process of its own: the same folder, another memory."""
    cache = SharedCache(str(folder), {"TIMEOUT": 600})
    cache._cache, cache._expire_info = locmem.OrderedDict(), {}
    return cache


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "run-1"


def test_a_figure_computed_by_one_process_is_known_to_the_other(folder: Path) -> None:
    one, other = process(folder), process(folder)
    one.set("figure:value:x:1", {"rate": Decimal("0.25")})
    assert other.get("figure:value:x:1") == {"rate": Decimal("0.25")}
    assert other.get("figure:value:x:2") is None


def test_rate_limits_and_the_like_stay_in_the_process(folder: Path) -> None:
    one, other = process(folder), process(folder)
    one.set("allauth:rl:login", 5)
    assert one.get("allauth:rl:login") == 5
    assert other.get("allauth:rl:login") is None
    assert not list(folder.iterdir())


def test_values_run_out_in_files_too(folder: Path, monkeypatch: Any) -> None:
    one, other = process(folder), process(folder)
    one.set("cockpit:x", 1, 60)
    import time

    later = time.time() + 61
    monkeypatch.setattr("yuanmai.core.web.shared_cache.time.time", lambda: later)
    assert other.get("cockpit:x") is None


def test_a_damaged_file_is_no_value_and_goes_away(folder: Path) -> None:
    one, other = process(folder), process(folder)
    one.set("figure:x", 1)
    (file,) = folder.iterdir()
    file.write_bytes(b"\x80\x05torn")
    assert other.get("figure:x", "none") == "none"
    assert not file.exists()


def test_nobody_else_may_enter_the_folder(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o755)
    process(folder)
    assert folder.stat().st_mode & 0o077 == 0


def test_without_a_folder_memory_is_enough(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = process(tmp_path / "file" / "below")
    cache.set("figure:x", 1)
    assert cache.get("figure:x") == 1


def test_clearing_forgets_on_both_floors(folder: Path) -> None:
    one, other = process(folder), process(folder)
    one.set("figure:x", 1)
    other.clear()
    assert process(folder).get("figure:x") is None
