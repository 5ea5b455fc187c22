"""The evaluation of rules in the ingest process.

    evaluation = Evaluation()
    evaluation.feed(readings, now)   every round, with the readings that are not in the lake yet, in the order they came
    evaluation.tick(now)             when all journals are read to their ends: durations end, silence is noticed
    evaluation.flush()               in every round before a commit to the lake: writes alarms and state
    evaluation.reload(registry)      when the register has changed

`now` is the wall clock (seconds since 1970). What has been fed since the last commit is fed again after a crash; alarms are (rule, device,
raised at), so nothing is raised twice. `feed` and `tick` raise nothing: a fault in the evaluation must not stop the readings.
`flush` raises what the database raises and keeps everything for the next time.
"""

import logging
import time
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError

from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.devices.engine.registry import Registry
from yuanmai.devices.engine.rules.evaluator import Evaluator
from yuanmai.devices.engine.rules.target import Transition
from yuanmai.devices.models import RuleState
from yuanmai.devices.queries import load_registry
from yuanmai.devices.rules.loading import load_rules, rules_version
from yuanmai.devices.rules.recording import record
from yuanmai.devices.store.readings import Readings

logger = logging.getLogger(__name__)
SECOND = 1_000_000
LOOK_EVERY = 1.0  # seconds: for another version of the rules
KEEP_EVERY = 3.0  # seconds: what merely knows newer readings
KEEP_ARRIVALS_EVERY = 30.0
ABSENT = 60 * SECOND  # nobody listened for longer than this: silence is counted anew
ARRIVALS = ""  # the key of the row with the times of arrival
PIECE = 500


class Evaluation:
    """All rules over all devices, in one process."""

    def __init__(self) -> None:
        self._evaluator: Evaluator | None = None
        self._registry: Registry | None = None
        self._version = -1
        self._pending: list[Transition] = []
        self._states: dict[str, Any] = {}
        self._at: dict[str, float] = {}
        self.faults = 0

    # -- what the ingest process calls -----------------------------------------------------------------------------------

    def feed(self, readings: Readings, now: float) -> None:
        """Take readings in the order they came."""
        try:
            self._pending += self._ready(now).feed(readings)
        except DatabaseError:
            self._trouble()
        except Exception:
            self._trouble()

    def tick(self, now: float) -> None:
        """Say that everything that came until `now` has been fed."""
        try:
            evaluator = self._ready(now)
            if self._due("look", LOOK_EVERY) and rules_version() != self._version:
                self._load(now)
            self._pending += evaluator.tick(int(now * SECOND))
        except Exception:
            self._trouble()

    def flush(self) -> None:
        """Write what has happened. Raises `DatabaseError`; nothing is lost then."""
        evaluator = self._evaluator
        if evaluator is None:
            return
        everything = self._due("keep", KEEP_EVERY)
        for (rule, device), state in evaluator.changes(everything=everything).items():
            self._states[f"{rule}:{device}"] = state
        if self._pending:
            record(SYSTEM, self._pending)
            self._pending = []
        if self._due("arrivals", KEEP_ARRIVALS_EVERY):
            self._states[ARRIVALS] = evaluator.arrivals()
        if self._states:
            with everywhere():
                save(self._states)
            self._states = {}

    def reload(self, registry: Registry) -> None:
        """Take another register."""
        self._registry = registry
        if self._evaluator is not None:
            try:
                self._load(time.time())
            except Exception:
                self._trouble()

    # -- inside ----------------------------------------------------------------------------------------------------------

    def _due(self, what: str, every: float) -> bool:
        now = time.monotonic()
        if now - self._at.get(what, float("-inf")) < every:
            return False
        self._at[what] = now
        return True

    def _trouble(self) -> None:
        self.faults += 1
        logger.exception("the rules could not be evaluated")

    def _ready(self, now: float) -> Evaluator:
        if self._evaluator is None:
            self._load(now)
        assert self._evaluator is not None
        return self._evaluator

    def _load(self, now: float) -> None:
        version, moment = rules_version(), int(now * SECOND)
        registry = self._registry or load_registry()
        rules = load_rules(registry)
        if self._evaluator is not None:
            self._pending += self._evaluator.replace(rules, registry, moment)
        else:
            evaluator = Evaluator(rules, registry, begin=moment)
            kept = restored()
            self._pending += evaluator.restore(kept, moment)
            if kept["watermark"] and moment - kept["watermark"] > ABSENT:
                evaluator.listened_again(moment)
            self._evaluator = evaluator
        self._version, self._registry = version, registry


def restored() -> dict[str, Any]:
    """Return what was kept, as `Evaluator.restore` takes it."""
    with everywhere():
        rows = dict(RuleState.objects.values_list("key", "data"))
    arrivals = rows.pop(ARRIVALS, {})
    return {"targets": rows, "points": arrivals.get("points", {}), "watermark": arrivals.get("watermark", 0)}


def save(states: dict[str, Any]) -> None:
    """Write states by key; None takes one away."""
    now = datetime.now(UTC)
    gone = [key for key, state in states.items() if state is None]
    for begin in range(0, len(gone), PIECE):
        RuleState.objects.filter(key__in=gone[begin : begin + PIECE]).delete()
    rows = [RuleState(key=key, data=data, saved_at=now) for key, data in states.items() if data is not None]
    RuleState.objects.bulk_create(
        rows,
        batch_size=PIECE,
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["data", "saved_at"],
    )
