"""`yuanmai ingest`: follow the journals of this machine."""

import logging
import signal
import time
from typing import Any

import click
from django.conf import settings
from django.utils.translation import gettext as _

from yuanmai.core.console import Refused, command, print_json

logger = logging.getLogger(__name__)


def evaluation() -> Any:
    """Return what evaluates the rules."""
    from yuanmai.devices.rules.runtime import Evaluation

    return Evaluation()


@click.command()
@click.option("--once", is_flag=True, help="Stop when everything that was said is in the lake.")
@click.option("--renew-latest", is_flag=True, help="Make the latest values again from the lake first.")
@command
def ingest(once: bool, renew_latest: bool, as_json: bool) -> None:
    """Follow the journals: readings into the lake, newest values and states into the database, rules evaluated."""
    from yuanmai.core.scope import everywhere
    from yuanmai.devices.store.lake import Lake
    from yuanmai.gateway.ingest.follow import Busy, Ingest

    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with everywhere():
        process = Ingest(settings.JOURNAL_ROOT, Lake(settings.LAKE), evaluation())
        try:
            process.start()
        except Busy:
            raise Refused(
                _("Another process takes in the journals under %(path)s already.")
                % {"path": settings.JOURNAL_ROOT}
            ) from None
        if renew_latest:
            process.keeping.renew_latest(process.lake, process.decoder.slots, process.tables)
        try:
            follow(process, once, lambda: stopping)
        finally:
            process.close()
    if as_json:
        print_json({"records": process.health.records, "readings": process.health.readings})


def follow(process: Any, once: bool, stopping: Any) -> None:
    """Do rounds until told to stop, or (`once`) until nothing is left to do."""
    from yuanmai.gateway.ingest.follow import ROUND

    while not stopping():
        began = time.monotonic()
        count = process.round()
        if once and not count and not process.adoptions:
            return
        rest = ROUND - (time.monotonic() - began)
        if rest > 0 and not once:
            time.sleep(rest)
