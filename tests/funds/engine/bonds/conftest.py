"""The tests compute in the arithmetic of the engine."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import localcontext

import pytest

from yuanmai.funds.engine.bonds.terms import exact


@pytest.fixture(autouse=True, scope="module")
def fifty_digits() -> Iterator[None]:
    with localcontext(exact()):
        yield
