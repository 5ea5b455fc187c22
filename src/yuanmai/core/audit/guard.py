"""The database's own lock on the audit log: rows can be added, and neither changed nor deleted.

The lock stops whatever goes through this program or a database console by mistake. Who owns the database can take it
away; what they then change shows in the chain of hashes (`yuanmai audit verify`). The lock is set by a migration and again
after every `migrate`, because SQLite rebuilds a table to alter it and loses its triggers by that.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "core_auditentry"

_SQLITE = [
    f"CREATE TRIGGER IF NOT EXISTS {TABLE}_no_{event} BEFORE {event.upper()} ON {TABLE} "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    for event in ("update", "delete")
]
_SQLITE_OFF = [f"DROP TRIGGER IF EXISTS {TABLE}_no_{event}" for event in ("update", "delete")]

_POSTGRESQL = [
    f"CREATE OR REPLACE FUNCTION {TABLE}_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
    "BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$",
    f"DROP TRIGGER IF EXISTS {TABLE}_no_change ON {TABLE}",
    f"CREATE TRIGGER {TABLE}_no_change BEFORE UPDATE OR DELETE ON {TABLE} "
    f"FOR EACH ROW EXECUTE FUNCTION {TABLE}_append_only()",
    f"DROP TRIGGER IF EXISTS {TABLE}_no_truncate ON {TABLE}",
    f"CREATE TRIGGER {TABLE}_no_truncate BEFORE TRUNCATE ON {TABLE} "
    f"FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_append_only()",
]
_POSTGRESQL_OFF = [
    f"DROP TRIGGER IF EXISTS {TABLE}_no_change ON {TABLE}",
    f"DROP TRIGGER IF EXISTS {TABLE}_no_truncate ON {TABLE}",
]


def lock(connection: BaseDatabaseWrapper) -> None:
    """Forbid changing and deleting audit entries; does nothing where that is forbidden already."""
    _run(connection, _POSTGRESQL if connection.vendor == "postgresql" else _SQLITE)


def unlock(connection: BaseDatabaseWrapper) -> None:
    """Take the lock away: for emptying the database of a test, and for the tests that tamper with the log."""
    _run(connection, _POSTGRESQL_OFF if connection.vendor == "postgresql" else _SQLITE_OFF)


def locked(connection: BaseDatabaseWrapper) -> bool:
    """Whether the lock is in place."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgname LIKE %s", [f"{TABLE}_no_%"])
        else:
            cursor.execute(
                "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s",
                [f"{TABLE}_no_%"],
            )
        return bool(cursor.fetchone()[0] == 2)


def lock_after_migrate(using: str, **_kwargs: Any) -> None:
    """Receiver of `post_migrate` of the core room."""
    from django.db import connections

    connection = connections[using]
    if TABLE in connection.introspection.table_names():
        lock(connection)


def _run(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
