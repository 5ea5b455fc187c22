"""A park for the tests of enterprises."""

from __future__ import annotations

import pytest

from tests.conftest import Orgs
from yuanmai.core.scope import everywhere
from yuanmai.places.models import Park


@pytest.fixture
def park(orgs: Orgs) -> Park:
    with everywhere():
        return Park.objects.create(org=orgs.north, code="P-1", name="北岸工业园")
