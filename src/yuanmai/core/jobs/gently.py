"""Heavy work that must not keep people waiting: it gets the processor when nobody else wants it."""

import os
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
NICE = 10


def gently(work: Callable[[], T]) -> T:
    """Do work in a thread of low priority and return (or raise) what it gives. It must not use the database.

    A thread of its own, because an ordinary user may lower a priority but never raise it again; threads that it starts inherit
    it. On systems where threads have no priority (all but Linux) it is done as it is.
    """
    found: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            if sys.platform == "linux":
                me = threading.get_native_id()
                os.setpriority(os.PRIO_PROCESS, me, max(NICE, os.getpriority(os.PRIO_PROCESS, me)))
            found.append(work())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="gently")
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
    return found[0]
