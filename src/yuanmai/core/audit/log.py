"""Writing to and verifying the audit log."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction
from django.utils import timezone

from yuanmai.core.audit import moments
from yuanmai.core.audit.models import AuditEntry, AuditHead, RoomVersion
from yuanmai.core.engine.chain import GENESIS, Break, entry_hash, first_break, seal
from yuanmai.core.policy import Actor


@dataclass
class Entry:
    """An entry to be written: `before` and `after` are JSON-able mappings of what changed."""

    action: str
    target: models.Model | None = None
    org_id: int | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    result: str = "done"
    target_name: str = ""
    rooms: Sequence[str] = field(default_factory=tuple)


def _plain(value: Mapping[str, Any] | None) -> Any:
    """Return what the database will give back, so that the hash computed now equals the one computed later."""
    return None if value is None else json.loads(json.dumps(value, cls=DjangoJSONEncoder))


def _head() -> AuditHead:
    """Return the head row, locked where the database locks rows (SQLite's IMMEDIATE transaction has locked already)."""
    heads = AuditHead.objects.all()
    if connection.features.has_select_for_update:
        heads = heads.select_for_update()
    head = heads.filter(pk=1).first()
    if head is None:
        AuditHead.objects.bulk_create(
            [AuditHead(pk=1, count=0, last=GENESIS, seal=seal(settings.SECRET_KEY, 0, GENESIS))],
            ignore_conflicts=True,
        )
        head = heads.get(pk=1)
    return head


def append(
    actor: Actor, entries: Sequence[Entry], request_id: str = "", rooms: Iterable[str] = ()
) -> list[AuditEntry]:
    """Append entries to the chain, inside the caller's transaction; return them as stored.

    Must run in a transaction, as late in it as possible: the head stays locked until the commit.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "the audit log is written inside the action's transaction"
        )
    moments.forget()
    head = _head()
    rows, changed, now = [], set(rooms), timezone.now().astimezone(UTC)
    for entry in entries:
        target = entry.target
        row = AuditEntry(
            sequence=head.count + 1,
            previous=head.last,
            at=now,
            user_id=actor.user_id,
            actor=actor.name[:150],
            via=actor.via,
            address=actor.address,
            action=entry.action,
            result=entry.result,
            org_id=entry.org_id,
            target_type=target._meta.label_lower if target is not None else "",
            target_id=str(target.pk) if target is not None else "",
            target_name=(entry.target_name or (str(target) if target is not None else ""))[:200],
            before=_plain(entry.before),
            after=_plain(entry.after),
            request_id=request_id,
        )
        row.hash = entry_hash(head.last, row.content())
        head.count, head.last = row.sequence, row.hash
        rows.append(row)
        if entry.result == "done":
            changed.update({entry.action.split(".", 1)[0], *entry.rooms})
    stored = AuditEntry.objects.bulk_create(rows)
    head.seal = seal(settings.SECRET_KEY, head.count, head.last)
    head.save()
    if changed:
        RoomVersion.objects.bulk_create(
            [RoomVersion(room=room, sequence=head.count) for room in sorted(changed)],
            update_conflicts=True,
            unique_fields=["room"],
            update_fields=["sequence"],
        )
    return stored


def versions() -> dict[str, int]:
    """Return room → sequence of its last change (one query, and one per request where the middleware remembers)."""
    known = moments.recall()
    if known is None:
        known = dict(RoomVersion.objects.values_list("room", "sequence"))
        moments.keep(known)
    return known


@dataclass(frozen=True)
class Verdict:
    """What the verification found: number of good entries, and the first bad one with its reason, if any."""

    entries: int
    broken: Break | None

    @property
    def whole(self) -> bool:
        """Whether the log is as it was written."""
        return self.broken is None


def verify() -> Verdict:
    """Walk the whole chain and compare its end with the sealed head."""

    def walk() -> Iterator[tuple[int, str, str, dict[str, object]]]:
        for row in AuditEntry.objects.order_by("sequence").iterator(chunk_size=2000):
            row.at = row.at.astimezone(UTC)
            yield row.sequence, row.previous, row.hash, row.content()

    count, last, broken = first_break(walk())
    if broken is not None:
        return Verdict(count, broken)
    head = AuditHead.objects.filter(pk=1).first()
    if head is None:
        return Verdict(count, Break(1, None, "headless") if count else None)
    if head.count != count or head.last != last:
        return Verdict(count, Break(count + 1, None, "cut"))
    if head.seal != seal(settings.SECRET_KEY, count, last):
        return Verdict(count, Break(count, None, "unsealed"))
    return Verdict(count, None)
