"""A pytest plugin for the second run, on PostgreSQL: keeps the tests that touch a database and leaves out the browser's.

DATABASE_URL=postgres://… python -m pytest -p tests.house.only_database
"""

from __future__ import annotations

import pytest

DATABASE_FIXTURES = {
    "db",
    "transactional_db",
    "django_db_reset_sequences",
    "live_server",
    "client",
    "admin_client",
}


def touches_database(item: pytest.Item) -> bool:
    """Whether the test asks for a database, by its marker or by one of its fixtures."""
    fixtures: list[str] = getattr(item, "fixturenames", [])
    return item.get_closest_marker("django_db") is not None or not DATABASE_FIXTURES.isdisjoint(fixtures)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what says nothing about PostgreSQL."""
    kept = [item for item in items if touches_database(item) and item.get_closest_marker("browser") is None]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept
