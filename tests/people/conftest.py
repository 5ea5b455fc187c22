"""Fixtures of the people room's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from tests.people.clock import Clock
from yuanmai.people import setup


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that can be moved."""
    return Clock(monkeypatch)


@pytest.fixture(autouse=True)
def _first_run_is_asked_again() -> Iterator[None]:
    setup.forget()
    yield
    setup.forget()


@pytest.fixture
def visitor() -> Client:
    """A browser in English that nobody signed in with."""
    return Client(headers={"accept-language": "en"})
