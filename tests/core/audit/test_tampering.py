"""Whoever edits, deletes, moves or cuts the audit log is found out, at the first bad entry, even as owner of the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from yuanmai.core.audit import guard
from yuanmai.core.audit.log import Entry, append, verify
from yuanmai.core.audit.models import AuditEntry, AuditHead
from yuanmai.core.engine.chain import GENESIS, entry_hash, seal
from yuanmai.core.policy import SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def log() -> Iterator[list[AuditEntry]]:
    """Ten entries; the lock is off, as for somebody who owns the database."""
    with transaction.atomic():
        rows = append(SYSTEM, [Entry("people.test", after={"n": n}) for n in range(10)])
    guard.unlock(connection)
    yield rows
    guard.lock(connection)


def sql(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_an_untouched_log_is_whole(log: list[AuditEntry]) -> None:
    verdict = verify()
    assert verdict.whole
    assert verdict.entries == 10


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("after", '{"n": 99}'),
        ("actor", "somebody else"),
        ("at", "2020-01-01 00:00:00+00:00"),
        ("action", "people.other"),
        ("result", "refused"),
        ("org_id", 7),
        ("target_name", "another"),
        ("address", "10.0.0.1"),
        ("via", "api"),
        ("request_id", "f" * 16),
        ("before", '{"n": 1}'),
    ],
)
def test_an_edited_entry_is_named(log: list[AuditEntry], column: str, value: object) -> None:
    sql(f"UPDATE core_auditentry SET {column} = %s WHERE sequence = 4", value)
    broken = verify().broken
    assert broken is not None
    assert (broken.position, broken.reason) == (4, "changed")


def test_an_entry_edited_with_a_fitting_hash_breaks_the_next_one(log: list[AuditEntry]) -> None:
    row = AuditEntry.objects.get(sequence=4)
    row.after = {"n": 99}
    sql(
        "UPDATE core_auditentry SET after = %s, hash = %s WHERE sequence = 4",
        '{"n": 99}',
        entry_hash(row.previous, {**row.content(), "at": log[3].at.isoformat()}),
    )
    broken = verify().broken
    assert broken is not None
    assert (broken.position, broken.reason) == (5, "unlinked")


@pytest.mark.parametrize("gone", [1, 5])
def test_a_deleted_entry_is_named(log: list[AuditEntry], gone: int) -> None:
    sql("DELETE FROM core_auditentry WHERE sequence = %s", gone)
    broken = verify().broken
    assert broken is not None
    assert (broken.position, broken.reason) == (gone, "missing")


def test_two_entries_that_changed_places_are_named(log: list[AuditEntry]) -> None:
    for here, there in ((3, 1003), (6, 3), (1003, 6)):
        sql("UPDATE core_auditentry SET sequence = %s WHERE sequence = %s", there, here)
    broken = verify().broken
    assert broken is not None
    assert broken.position == 3


@pytest.mark.parametrize("kept", [0, 9])
def test_a_log_whose_end_is_cut_off_is_named(log: list[AuditEntry], kept: int) -> None:
    sql("DELETE FROM core_auditentry WHERE sequence > %s", kept)
    broken = verify().broken
    assert broken is not None
    assert (broken.position, broken.reason) == (kept + 1, "cut")


def test_a_cut_log_with_a_forged_head_lacks_the_seal(log: list[AuditEntry]) -> None:
    sql("DELETE FROM core_auditentry WHERE sequence > 8")
    last = AuditEntry.objects.get(sequence=8).hash
    sql("UPDATE core_audithead SET count = 8, last = %s, seal = %s", last, seal("a guess", 8, last))
    broken = verify().broken
    assert broken is not None
    assert (broken.position, broken.reason) == (8, "unsealed")


def test_a_log_without_its_head_is_broken(log: list[AuditEntry]) -> None:
    sql("DELETE FROM core_audithead")
    broken = verify().broken
    assert broken is not None
    assert broken.reason == "headless"


def test_an_emptied_log_is_broken_unless_nothing_was_ever_written(log: list[AuditEntry]) -> None:
    sql("DELETE FROM core_auditentry")
    assert not verify().whole
    sql(
        "UPDATE core_audithead SET count = 0, last = %s, seal = %s",
        GENESIS,
        seal(settings.SECRET_KEY, 0, GENESIS),
    )
    assert AuditHead.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda: AuditEntry.objects.filter(sequence=1).update(actor="x"),
        lambda: AuditEntry.objects.filter(sequence=1).delete(),
        lambda: AuditEntry.objects.all().delete(),
        lambda: AuditEntry.objects.get(sequence=1).save(),
    ],
)
def test_the_database_itself_refuses_changes(change: Callable[[], object]) -> None:
    with transaction.atomic():
        append(SYSTEM, [Entry("people.test")])
    assert guard.locked(connection)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        change()
    assert verify().whole


def test_old_entries_cannot_be_purged_either(log: list[AuditEntry]) -> None:
    """Entries are kept for ever, so also for the six months that the Cybersecurity Law asks for."""
    sql("UPDATE core_auditentry SET at = %s", "2019-01-01 00:00:00+00:00")
    guard.lock(connection)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.filter(at__year=2019).delete()


@pytest.mark.django_db(transaction=True)
def test_after_a_transactional_test_the_lock_is_back() -> None:
    assert guard.locked(connection)


def test_the_lock_survives_a_migration() -> None:
    guard.unlock(connection)
    guard.lock_after_migrate(using="default")
    assert guard.locked(connection)
