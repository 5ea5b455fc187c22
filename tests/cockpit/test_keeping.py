"""What a page computed is kept, and computed once where many ask at the same moment."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core.cache import cache

from tests.conftest import AS_OF
from yuanmai.cockpit import keeping
from yuanmai.core.figures import Query


@pytest.fixture(autouse=True)
def versions(monkeypatch: Any) -> dict[str, int]:
    """Versions of the rooms without a database."""
    known = {"projects": 1}
    monkeypatch.setattr(keeping, "version_for", lambda rooms, _orgs: max(known[room] for room in rooms))
    cache.clear()
    return known


def test_many_askers_one_computation() -> None:
    together, computed = Barrier(6), []

    def compute() -> int:
        computed.append(1)
        time.sleep(0.1)
        return 42

    def ask(_number: int) -> int:
        together.wait()
        return keeping.kept("dear", ("projects",), Query((1,), AS_OF), compute)

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, range(6))) == [42] * 6
    assert len(computed) == 1


def test_a_change_of_a_room_asks_again(versions: dict[str, int]) -> None:
    answers = iter((1, 2))
    question = ("x", ("projects",), Query((1,), AS_OF), lambda: next(answers))
    assert keeping.kept(*question) == 1
    assert keeping.kept(*question) == 1
    versions["projects"] = 2
    assert keeping.kept(*question) == 2


def test_who_fails_leaves_the_door_open() -> None:
    def fail() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        keeping.kept("y", ("projects",), Query((1,), AS_OF), fail)
    with ThreadPoolExecutor(1) as pool:
        begin = time.monotonic()
        assert (
            pool.submit(keeping.kept, "y", ("projects",), Query((1,), AS_OF), lambda: 3).result(timeout=4)
            == 3
        )
    assert time.monotonic() - begin < keeping.WAIT
