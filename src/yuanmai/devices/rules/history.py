"""A rule tried on history: what it would have raised, beside what the present version would have.

The same evaluator as live. Readings are fed in order of time; where the lake has forgotten when a reading came (compacted days), it
counts as having come in time.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from yuanmai.common.working_days import china
from yuanmai.core.jobs.registry import Run, job
from yuanmai.devices.engine.registry import Registry
from yuanmai.devices.engine.rules.definition import read
from yuanmai.devices.engine.rules.evaluator import Evaluator
from yuanmai.devices.engine.rules.slots import Slots
from yuanmai.devices.engine.rules.target import Plan, Rule, Transition
from yuanmai.devices.engine.rules.windows import Activity
from yuanmai.devices.models import AlarmRule, AlarmRuleVersion
from yuanmai.devices.permissions import KEEP_RULES
from yuanmai.devices.queries import load_registry
from yuanmai.devices.registry.lake import queries
from yuanmai.devices.rules.loading import Places
from yuanmai.devices.rules.recording import moment
from yuanmai.devices.store.readings import Readings

TRY = "devices.try_rule"
LONGEST = 92  # days
KEPT = 300  # alarms that the result lists
TRIED, PRESENT = 1, 2
PIECE = timedelta(hours=12)


@dataclass
class Outcome:
    """The alarms of one version over the range."""

    alarms: list[dict[str, Any]] = field(default_factory=list)
    going: dict[int, dict[str, Any]] = field(default_factory=dict)

    def take(self, t: Transition) -> None:
        """Take a transition."""
        if t.kind == "raised":
            entry: dict[str, Any] = {
                "device": t.device, "point": t.point, "raised": moment(t.at).isoformat(), "cleared": None, "severity": t.severity,
                "value": t.evidence[0].value if t.evidence and t.evidence[0].point else None, "peak": None,
            }  # fmt: skip
            self.alarms.append(entry)
            self.going[t.device] = entry
            return
        present = self.going[t.device]
        present["peak"] = t.peak.value if t.peak else present["peak"]
        if t.kind == "changed":
            present["severity"] = max(present["severity"], t.severity)
        else:
            present["cleared"] = moment(t.at).isoformat()

    def summary(self, end: datetime) -> dict[str, Any]:
        """Return counts, and the alarms up to `KEPT`."""
        seconds = sum(
            (
                datetime.fromisoformat(a["cleared"] or end.isoformat()) - datetime.fromisoformat(a["raised"])
            ).total_seconds()
            for a in self.alarms
        )
        return {
            "count": len(self.alarms),
            "seconds": round(seconds),
            "by_severity": dict(Counter(str(a["severity"]) for a in self.alarms)),
            "by_device": Counter(str(a["device"]) for a in self.alarms).most_common(20),
            "alarms": self.alarms[:KEPT],
        }


def slots_of(rules: Sequence[Rule], registry: Registry) -> Slots:
    """Return which points rules look at."""
    plans = [Plan.of(rule, Activity(rule.definition.active, china())) for rule in rules]
    return Slots(plans, registry, 0)


def replay(
    rules: Sequence[Rule], registry: Registry, begin: datetime, end: datetime, readings: Callable[[list[int], datetime, datetime], Readings],
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[int, Outcome]:  # fmt: skip
    """Return what each rule (by its number) would have raised from `begin` to `end`."""
    start = int(begin.timestamp() * 1_000_000)
    evaluator = Evaluator(rules, registry, begin=start)
    points = slots_of(rules, registry).numbers
    outcomes = {rule.number: Outcome() for rule in rules}
    total, at, done = max(1, -(-(end - begin) // PIECE)), begin, 0
    while at < end:
        until = min(at + PIECE, end)
        found = in_order(readings(points, at, until)) if points else None
        if found is not None and len(found):
            for transition in evaluator.feed(found):
                outcomes[transition.rule].take(transition)
        at, done = until, done + 1
        progress(done, total)
    for transition in evaluator.tick(int(end.timestamp() * 1_000_000)):
        outcomes[transition.rule].take(transition)
    return outcomes


def in_order(found: Readings) -> Readings:
    """Return readings in order of time, each with a moment of arrival."""
    order = np.argsort(found.time, kind="stable")
    sorted_ = Readings(*(getattr(found, name)[order] for name in Readings.__slots__))
    return replace(sorted_, received=np.maximum(sorted_.received, sorted_.time))


@job(TRY, gettext_lazy("Trying an alarm rule on history"))
def try_rule(
    run: Run, *, rule: str | None, org: int, name: str, definition: dict[str, Any], severity: int, template: int | None,
    park: int | None, devices: list[int], begin: str, end: str, typed: dict[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Try a definition (and the present version of `rule` beside it) on the readings of the range.

    `typed` is what stood in the editor; it is kept with the job, for the way back.
    """
    run.actor.require(KEEP_RULES, org)
    first, last = datetime.fromisoformat(begin), datetime.fromisoformat(end)
    version = AlarmRuleVersion(
        definition=definition, severity=severity, template_id=template, park_id=park, device_ids=devices
    )
    registry, places = load_registry(), Places()
    allowed = set(run.actor.org_ids())
    rules = [_rule(TRIED, version, places, org, registry, allowed)]
    present = AlarmRule.objects.select_related("current").filter(uid=rule).first() if rule else None
    if present is not None and present.current is not None:
        rules.append(_rule(PRESENT, present.current, places, present.org_id, registry, allowed))

    def progress(done: int, total: int) -> None:
        run.progress(done, total, _("Reading history"))

    outcomes = replay(
        rules, registry, first, last, lambda points, a, b: queries().raw(points, a, b), progress
    )
    tried = outcomes[TRIED].summary(last)
    result = {
        "name": name, "rule": rule, "definition": definition, "severity": severity, "begin": begin, "end": end,
        "devices": len(slots_of(rules[:1], registry).points), "tried": tried,
        "present": outcomes[PRESENT].summary(last) if PRESENT in outcomes else None,
    }  # fmt: skip
    with run.finishing() as finish:
        finish.result, finish.url = result, reverse("devices:rule_tried", args=[run.job.pk])
        finish.message = ngettext(
            "%(n)s alarm would have been raised.", "%(n)s alarms would have been raised.", tried["count"]
        ) % {"n": tried["count"]}
    return result


def _rule(
    number: int, version: AlarmRuleVersion, places: Places, org: int, registry: Registry, allowed: set[int]
) -> Rule:
    found = [
        pk for pk in places.of(version, org) if pk in registry.devices and registry.devices[pk].org in allowed
    ]
    return Rule(number, 1, version.severity, read(version.definition), tuple(found))
