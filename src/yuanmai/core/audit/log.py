"""Writing to and verifying the audit log."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction
from django.utils import timezone

from yuanmai.core.audit import moments
from yuanmai.core.audit.models import AuditEntry, AuditHead, OrgVersion, RoomVersion
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
    actor: Actor,
    entries: Sequence[Entry],
    request_id: str = "",
    rooms: Iterable[str] = (),
    orgs: Iterable[int] | None = None,
) -> list[AuditEntry]:
    """Append entries to the chain, inside the caller's transaction; return them as stored.

    With `orgs` the changes concerned these organisations and no other: what is kept for the rest stays good. Must run in a transaction, as late in it as possible: the head stays locked until the commit.
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
        _raise(changed, head.count, None if orgs is None else set(orgs))
    return stored


def _raise(rooms: Iterable[str], sequence: int, orgs: set[int] | None) -> None:
    """Raise the versions of rooms: everywhere, or for some organisations only."""
    RoomVersion.objects.bulk_create(
        [
            RoomVersion(room=room, sequence=sequence, everywhere=0 if orgs else sequence)
            for room in sorted(rooms)
        ],
        update_conflicts=True,
        unique_fields=["room"],
        update_fields=["sequence"] if orgs else ["sequence", "everywhere"],
    )
    if orgs:
        OrgVersion.objects.bulk_create(
            [
                OrgVersion(room=room, org_id=org, sequence=sequence)
                for room in sorted(rooms)
                for org in sorted(orgs)
            ],
            update_conflicts=True,
            unique_fields=["room", "org_id"],
            update_fields=["sequence"],
        )


def _changes() -> dict[str, tuple[int, int]]:
    """Return room → (sequence of its last change, of its last change everywhere); remembered for one request."""
    known = moments.recall()
    if known is None:
        rows = RoomVersion.objects.values_list("room", "sequence", "everywhere")
        known = {room: (last, everywhere) for room, last, everywhere in rows}
        moments.keep(known)
    return known


def versions() -> dict[str, int]:
    """Return room → sequence of its last change (one query, and one per request where the middleware remembers)."""
    return {room: last for room, (last, _everywhere) in _changes().items()}


def versions_by_org(rooms: Iterable[str]) -> tuple[int, dict[int, int]]:
    """Return the last change of these rooms that may concern every organisation, and the last one of each other one.

    What is computed from these rooms for an organisation stays good as long as the larger of its two numbers does.
    """
    changes = _changes()
    known = {room: changes[room] for room in rooms if room in changes}
    general = max((everywhere for _last, everywhere in known.values()), default=0)
    own: dict[int, int] = {}
    for room, (last, _everywhere) in known.items():
        if last > general:
            for org, sequence in _local(changes).get(room, {}).items():
                own[org] = max(sequence, own.get(org, general))
    return general, own


def _local(changes: Mapping[str, tuple[int, int]]) -> dict[str, dict[int, int]]:
    """Return room → organisation → sequence of the last change that concerned it alone; kept until something changes."""
    # Inside an action the numbers may yet be rolled back and given to other changes.
    keep = moments.trusted()
    key = f"org-versions:{max((last for last, _everywhere in changes.values()), default=0)}"
    found: dict[str, dict[int, int]] | None = cache.get(key) if keep else None
    if found is None:
        found = {}
        for room, org, sequence in OrgVersion.objects.values_list("room", "org_id", "sequence"):
            found.setdefault(room, {})[org] = sequence
        if keep:
            cache.set(key, found)
    return found


def version_for(rooms: Iterable[str], org_ids: Iterable[int]) -> int:
    """Return the last change of these rooms that may concern one of these organisations."""
    general, own = versions_by_org(rooms)
    return max((own.get(org, general) for org in org_ids), default=general) if own else general


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
