"""Work of low priority."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from yuanmai.core.jobs.gently import NICE, gently


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux only")
def test_only_the_work_itself_has_a_low_priority() -> None:
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    inside = gently(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    assert inside == max(before, NICE)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


def test_what_goes_wrong_in_it_is_raised() -> None:
    def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        gently(fail)
