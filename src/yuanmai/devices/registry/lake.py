"""The lake as the web process asks it."""

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from yuanmai.devices.store.query import Queries


def lake_url() -> str:
    """Return where the lake lies: `YUANMAI_LAKE`, or the folder `lake` of the installation."""
    return os.environ.get("YUANMAI_LAKE", "").strip() or str(settings.HOME / "lake")


def queries() -> "Queries":
    """Return the questions to the lake; one object for the life of a process."""
    return _open(lake_url(), os.getpid())


@lru_cache(maxsize=4)
def _open(url: str, _process: int) -> "Queries":
    # Read where it is needed: the readers of columns take a while to load, and few pages want them.
    from yuanmai.devices.store.lake import Lake
    from yuanmai.devices.store.query import Queries

    return Queries(Lake(url))
