"""What the gateway reads from and writes to the table of commands. Called in one thread; every change is a compare-and-swap."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from yuanmai.core.scope import everywhere
from yuanmai.devices.commands.verbs import verb_of
from yuanmai.devices.engine.registry import Registry
from yuanmai.devices.models import Command
from yuanmai.devices.models.command import CommandState
from yuanmai.devices.queries import load_registry, registry_version

LEASE = timedelta(seconds=30)
UNDER_WAY = (CommandState.SENT, CommandState.ACCEPTED)
LOOK_AT_MOST = 100_000  # waiting commands looked at in one round
RELOAD_EVERY = 1.0  # seconds between two looks at the version of the register
HIDDEN = "••••••"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A command that now belongs to this gateway. `taken_over`: another has sent it before, nobody knows how far it came."""

    number: int
    uid: str
    device: int
    verb: str
    parameters: Mapping[str, Any]
    expires: datetime
    attempts: int
    request: str
    trace: Sequence[dict[str, str]]
    repeatable: bool
    taken_over: bool
    secrets: tuple[str, ...] = ()  # what must not be kept after the end


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be written of a command. `state` is one of the table, or `released` (given back without an end)."""

    number: int
    state: str
    attempts: int = 0
    request: str = ""
    trace: Sequence[dict[str, str]] = field(default_factory=list)
    answer: Mapping[str, Any] | None = None
    answered: bool = False
    late: bool = False


class Claims:
    """The table of commands as one gateway sees it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.loaded = False
        self._looked = 0.0
        self._revision = 0

    def registry_after(self, version: int) -> Registry | None:
        """Return the register if it has changed since that version (looked at once a second), else nothing."""
        now = time.monotonic()
        if self.loaded and now - self._looked < RELOAD_EVERY:
            return None
        self._looked = now
        if self.loaded and registry_version() == version:
            return None
        found = load_registry()
        self.loaded = True
        return found

    def recover(self) -> None:
        """Let go of what a former process of this name had under way; the journal's lock makes sure that it has ended."""
        with everywhere():
            Command.objects.filter(gateway=self.name, state__in=UNDER_WAY).update(lease_until=timezone.now())

    def waiting(self) -> list[tuple[int, int]]:
        """Return command and device of whatever waits or has lost its gateway, oldest first; end what has expired."""
        now = timezone.now()
        with everywhere():
            self._expire(now)
            rows = Command.objects.filter(
                Q(state=CommandState.QUEUED) | Q(state__in=UNDER_WAY, lease_until__lte=now)
            )
            return list(rows.order_by("created_at", "pk").values_list("pk", "device_id")[:LOOK_AT_MOST])

    def claim(self, mine: Collection[int], others: Collection[int]) -> list[Claimed]:
        """Claim commands whose devices are here; give back what a dead gateway held of `others`, whose devices are not."""
        now = timezone.now()
        taken: list[Claimed] = []
        with everywhere():
            for row in (
                Command.objects.filter(pk__in=mine).select_related("device").order_by("created_at", "pk")
            ):
                claimed = self._take(row, now)
                if claimed is not None:
                    taken.append(claimed)
            abandoned = Command.objects.filter(pk__in=others, state__in=UNDER_WAY, lease_until__lte=now)
            for row in abandoned.select_related("device"):
                self._give_back(row, now)
        return taken

    def _take(self, row: Command, now: datetime) -> Claimed | None:
        abandoned = row.state in UNDER_WAY and row.lease_until is not None and row.lease_until <= now
        if row.state != CommandState.QUEUED and not abandoned:
            return None  # another gateway was quicker
        same = Command.objects.filter(
            pk=row.pk, state=row.state, gateway=row.gateway, lease_until=row.lease_until
        )
        if not same.update(
            state=CommandState.SENT,
            gateway=self.name,
            lease_until=now + LEASE,
            sent_at=row.sent_at or now,
            revision=self._next(),
        ):
            return None
        verb = verb_of(row.device.protocol, row.verb)
        return Claimed(
            row.pk, str(row.uid), row.device_id, row.verb, row.parameters, row.expires_at, row.attempts, row.request, row.trace,
            repeatable=verb is not None and verb.repeatable, taken_over=row.state != CommandState.QUEUED, secrets=secrets_of(row),
        )  # fmt: skip

    def _give_back(self, row: Command, now: datetime) -> None:
        """Its gateway is dead and its device is not here: it waits again, or has ended where it must not be sent twice."""
        verb = verb_of(row.device.protocol, row.verb)
        same = Command.objects.filter(pk=row.pk, state=row.state, lease_until=row.lease_until)
        if verb is not None and verb.repeatable:
            same.update(state=CommandState.QUEUED, gateway="", lease_until=None, revision=self._next())
        else:
            same.update(
                state=CommandState.FAILED,
                answer={"code": "interrupted"},
                ended_at=now,
                lease_until=None,
                revision=self._next(),
            )

    def _expire(self, now: datetime) -> None:
        gone = Command.objects.filter(state=CommandState.QUEUED, expires_at__lt=now)
        for row in gone.select_related("device")[:LOOK_AT_MOST]:
            Command.objects.filter(pk=row.pk, state=CommandState.QUEUED).update(
                state=CommandState.TIMED_OUT, answer={"code": "expired"}, ended_at=now, revision=self._next(),
                parameters=hidden(row), trace=scrubbed(row.trace, secrets_of(row)),
            )  # fmt: skip

    def write(self, changes: Sequence[Change], leases: Sequence[int]) -> set[int]:
        """Write what has changed and renew the leases; return the commands that are no longer this gateway's."""
        now = timezone.now()
        lost: set[int] = set()
        with everywhere():
            for change in changes:
                if not self._write(change, now):
                    lost.add(change.number)
            mine = Command.objects.filter(pk__in=leases, gateway=self.name, state__in=UNDER_WAY)
            soon = mine.filter(lease_until__lt=now + LEASE * 2 / 3)
            if leases and soon.exists():
                soon.update(lease_until=now + LEASE)
            if leases:
                lost |= set(leases) - set(mine.values_list("pk", flat=True))
        return lost

    def _write(self, change: Change, now: datetime) -> bool:
        if change.late:
            return bool(
                Command.objects.filter(pk=change.number, gateway=self.name).update(
                    trace=change.trace, revision=self._next()
                )
            )
        mine = Command.objects.filter(pk=change.number, gateway=self.name, state__in=UNDER_WAY)
        values: dict[str, Any] = {
            "attempts": change.attempts, "request": change.request, "trace": change.trace, "revision": self._next()
        }  # fmt: skip
        if change.state in UNDER_WAY:
            values["state"] = change.state
        elif change.state in ("queued", "released"):
            # The device has gone, or this gateway stops: it waits again. What must not be sent twice keeps its claim until the
            # lease ends, and ends with it.
            row = mine.select_related("device").first()
            if row is None:
                return False
            verb = verb_of(row.device.protocol, row.verb)
            if change.state == "queued" or not change.attempts or (verb is not None and verb.repeatable):
                values |= {
                    "state": CommandState.QUEUED,
                    "gateway": "",
                    "lease_until": None,
                    "answer": dict(change.answer or {}),
                }
            else:
                values |= {
                    "state": CommandState.FAILED,
                    "answer": {"code": "interrupted"},
                    "ended_at": now,
                    "lease_until": None,
                }
        else:
            values |= {
                "state": change.state,
                "answer": dict(change.answer or {}),
                "ended_at": now,
                "lease_until": None,
            }
            row = mine.select_related("device").first()
            if row is not None:
                values["parameters"] = hidden(row)
        if change.answered:
            values["answered_at"] = now
        return bool(mine.update(**values))

    def _next(self) -> int:
        """Return a revision: microseconds of the clock, growing."""
        self._revision = max(self._revision + 1, time.time_ns() // 1000)
        return self._revision


def secrets_of(row: Command) -> tuple[str, ...]:
    """Return the secret values among the parameters of a command."""
    verb = verb_of(row.device.protocol, row.verb)
    return tuple(
        str(row.parameters[name]) for name in (verb.secrets() if verb else ()) if row.parameters.get(name)
    )


def hidden(row: Command) -> dict[str, Any]:
    """Return the parameters of a command without the secret ones."""
    verb = verb_of(row.device.protocol, row.verb)
    secret = verb.secrets() if verb else ()
    return {name: HIDDEN if name in secret else value for name, value in row.parameters.items()}


def scrubbed(trace: Sequence[dict[str, str]], secrets: Sequence[str]) -> list[dict[str, str]]:
    """Return the trace without secrets."""
    cleaned = [dict(entry) for entry in trace]
    for entry in cleaned:
        for secret in secrets:
            if secret in entry.get("text", ""):
                entry["text"] = entry["text"].replace(secret, HIDDEN)
    return cleaned
