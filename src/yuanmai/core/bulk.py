"""Inserting very many rows: the same rows as `bulk_create`, at a fraction of its cost.

`bulk_create` prepares every value of every row through several calls; for a ledger of 20,000 projects that is most of the
time of an import. Here a model's columns are prepared once, repeated values are converted once, and the rows go to the
database with one prepared statement.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db import connection, models, transaction

_PLAIN = (models.CharField, models.TextField, models.IntegerField, models.ForeignKey, models.BooleanField)
_CACHE = 50_000
_BATCH = 2_000


def bulk_insert(objects: Sequence[models.Model]) -> None:
    """Insert new objects of one concrete model without parents and give them their primary keys.

    Like `bulk_create` it calls no `save` and sends no signals. Must run inside a transaction, which makes the keys ours.
    """
    if not objects:
        return
    model = type(objects[0])
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("bulk_insert needs a transaction")
    keys = _new_keys(model, len(objects))
    columns, readers, statement = _plan(model, connection.vendor)
    for number, obj in zip(keys, objects, strict=True):
        obj.pk = number
        for name, source in columns:
            # A related object that got its key after it was assigned.
            related = obj._state.fields_cache.get(name)
            if related is not None:
                setattr(obj, source, related.pk)
    with connection.cursor() as cursor:
        for start in range(0, len(objects), _BATCH):
            part = objects[start : start + _BATCH]
            cursor.executemany(statement, [tuple(read(obj.__dict__) for read in readers) for obj in part])
    for obj in objects:
        obj._state.adding, obj._state.db = False, connection.alias


def bulk_rows(model: type[models.Model], rows: Sequence[dict[str, Any]]) -> Sequence[int]:
    """Insert rows given as column attributes to values, without making objects, and return their primary keys.

    Every row must name the same attributes; the others take the field's default.
    """
    if not rows:
        return ()
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("bulk_rows needs a transaction")
    keys = _new_keys(model, len(rows))
    _columns, readers, statement = _plan(model, connection.vendor)
    names = [f.attname for f in model._meta.local_concrete_fields]
    missing = {
        f.attname: f.get_default() for f in model._meta.local_concrete_fields if f.attname not in rows[0]
    }
    assert model._meta.pk is not None
    pk = names.index(model._meta.pk.attname)
    missing.pop(names[pk], None)
    reading = list(enumerate(readers))
    with connection.cursor() as cursor:
        for start in range(0, len(rows), _BATCH):
            part = rows[start : start + _BATCH]
            cursor.executemany(
                statement,
                [
                    tuple([key if i == pk else read(row) for i, read in reading])
                    for key, row in zip(
                        keys[start : start + _BATCH], ({**missing, **row} for row in part), strict=True
                    )
                ],
            )
    return keys


def _new_keys(model: type[models.Model], count: int) -> Sequence[int]:
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
                [connection.ops.quote_name(table), model._meta.pk.column, count],
            )
            return [row[0] for row in cursor.fetchall()]
        # The transaction holds SQLite's write lock (IMMEDIATE), so that nobody else takes these numbers.
        name = connection.ops.quote_name(table)
        cursor.execute(
            f"SELECT MAX(COALESCE((SELECT seq FROM sqlite_sequence WHERE name = %s), 0), COALESCE((SELECT MAX(id) FROM {name}), 0))",  # noqa: S608
            [table],
        )
        first = int(cursor.fetchone()[0]) + 1
    return range(first, first + count)


Reader = Callable[[dict[str, Any]], Any]


@lru_cache(maxsize=64)
def _plan(model: type[models.Model], vendor: str) -> tuple[list[tuple[str, str]], list[Reader], str]:
    fields = model._meta.local_concrete_fields
    related = [(f.name, f.attname) for f in fields if isinstance(f, models.ForeignKey)]
    readers = [_reader(f) for f in fields]
    quote = connection.ops.quote_name
    names = ", ".join(quote(str(f.column)) for f in fields)
    marks = ", ".join(["%s"] * len(fields))
    return related, readers, f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({marks})"  # noqa: S608


def _reader(field: Any) -> Reader:
    name = field.attname
    if isinstance(field, models.JSONField) and connection.vendor != "postgresql":
        return lambda values: None if values[name] is None else json.dumps(values[name], cls=field.encoder)
    if isinstance(field, _PLAIN) and not isinstance(field, models.DateField):
        return lambda values: values[name]
    cache: dict[Any, Any] = {}

    def read(values: dict[str, Any]) -> Any:
        value = values[name]
        if value is None:
            return None
        if isinstance(value, Decimal | date | datetime):
            found = cache.get(value)
            if found is None:
                if len(cache) > _CACHE:
                    cache.clear()
                found = cache[value] = field.get_db_prep_save(value, connection)
            return found
        return field.get_db_prep_save(value, connection)

    return read


@contextmanager
def no_collection() -> Iterator[None]:
    """Hold the garbage collector back while very many lasting objects are made; it would look through all of them again and again."""
    import gc

    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
