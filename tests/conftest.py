"""What every room's tests can rely on: a small organisation tree, users, signed-in clients, projects.

Everything works on SQLite and, with ``DATABASE_URL``, on PostgreSQL.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache, caches
from django.db import connection, transaction
from django.test import Client, TransactionTestCase
from django.utils import timezone, translation
from hypothesis import settings

from tests.installation import Installations
from yuanmai.core.actions import Act, acting
from yuanmai.core.audit.guard import unlock
from yuanmai.core.audit.log import Entry as AuditRecord
from yuanmai.core.audit.log import append
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere, open_scope
from yuanmai.people.actor import UserActor, subtree_ids
from yuanmai.people.models import Organisation, Post, Role, User
from yuanmai.people.presets_loader import ensure_roles
from yuanmai.projects.models import Project
from yuanmai.projects.recording import Entry, record

# A busy machine makes no test fail.
settings.register_profile("house", deadline=None)
settings.load_profile("house")
# Playwright's own event loop would otherwise make Django refuse the database in browser tests.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

AS_OF = date(2022, 3, 31)
PASSWORD = "Tide-And-Harbour-7"
_number = itertools.count(1)


@dataclass(frozen=True)
class Orgs:
    """province → city → (north, south); province → other city → foreign park."""

    province: Organisation
    city: Organisation
    north: Organisation
    south: Organisation
    other_city: Organisation
    foreign: Organisation

    def below(self, org: Organisation) -> tuple[int, ...]:
        """Ids of an organisation and all below it, sorted."""
        return tuple(sorted(subtree_ids([org.path])[org.path]))


def _forget() -> None:
    for alias in caches:
        caches[alias].clear()


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """No cached figure or right and no activated language outlives a test."""
    _forget()
    before = translation.get_language()
    yield
    _forget()
    if before:
        translation.activate(before)
    else:
        translation.deactivate()


@pytest.fixture(autouse=True, scope="session")
def _emptying_tables() -> Iterator[None]:
    """The audit log refuses to be emptied; a transactional test empties everything, and `flush` locks it again after."""
    teardown = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def unlocked(case: Any) -> None:
        unlock(connection)
        teardown(case)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", unlocked)
        yield


@pytest.fixture(scope="session")
def installations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installations]:
    """Makes real installations (``installations.migrated()``) for tests that start processes."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made = Installations(tmp_path_factory.mktemp("installations"), shared)
    yield made
    made.remove()


@pytest.fixture
def chinese() -> Iterator[None]:
    """The active language is Chinese."""
    with translation.override("zh-hans"):
        yield


@pytest.fixture
def english() -> Iterator[None]:
    """The active language is English."""
    with translation.override("en"):
        yield


@pytest.fixture
def roles(db: None) -> dict[str, Role]:
    """The preset roles by code."""
    ensure_roles()
    return {role.code: role for role in Role.objects.all()}


@pytest.fixture
def orgs(db: None) -> Orgs:
    """A small tree of organisations."""
    province = Organisation.add_root(
        code="jiangnan", name="江南省", name_en="Jiangnan Province", kind="province"
    )
    city = province.add_child(code="linzhou", name="临州市", name_en="Linzhou City", kind="city")
    north = city.add_child(code="north", name="北园", name_en="North Park", kind="park")
    south = city.add_child(code="south", name="南镇", name_en="South Town", kind="town")
    other_city = province.add_child(code="haizhou", name="海州市", name_en="Haizhou City", kind="city")
    foreign = other_city.add_child(code="foreign", name="外园", name_en="Foreign Park", kind="park")
    tree = (province, city, north, south, other_city, foreign)
    for org in tree:
        org.refresh_from_db()
    cache.clear()
    return Orgs(*tree)


@pytest.fixture
def make_user(roles: dict[str, Role], orgs: Orgs) -> Callable[..., User]:
    """``make_user("leader", orgs.north)``: a user with that post; more posts as ``("role", org)`` pairs in `posts`."""

    def make(
        role: str = "project_officer",
        org: Organisation | None = None,
        *,
        username: str | None = None,
        posts: Iterable[tuple[str, Organisation]] = (),
        **fields: Any,
    ) -> User:
        name = username or f"{role}-{next(_number)}"
        user = User(
            username=name,
            full_name=fields.pop("full_name", f"Test {name}"),
            password_changed_at=timezone.now(),
            **fields,
        )
        user.set_password(PASSWORD)
        user.save()
        for code, where in [(role, org or orgs.city), *posts]:
            Post.objects.create(user=user, org=where, role=roles[code])
        cache.clear()
        return user

    return make


@pytest.fixture
def client_as() -> Callable[..., Client]:
    """``client_as(user)``: a client that is signed in; `language` is what the browser asks for."""

    def make(user: User | None, *, language: str = "en", **options: Any) -> Client:
        client = Client(headers={"accept-language": language}, **options)
        if user is not None:
            client.force_login(user, backend="yuanmai.people.backends.PasswordBackend")
        return client

    return make


@pytest.fixture
def actor_of() -> Callable[..., UserActor]:
    """``actor_of(user)``: the user as an actor with today's rights; `via` and `only` as in `UserActor.of`."""
    return UserActor.of


@pytest.fixture
def in_scope() -> Callable[..., AbstractContextManager[None]]:
    """``with in_scope(org)``: the scope of an organisation and all below, an actor, ids, or (nothing) everywhere."""

    def opened(whom: Organisation | UserActor | Iterable[int] | None = None) -> AbstractContextManager[None]:
        if whom is None:
            return everywhere()
        if isinstance(whom, UserActor):
            return open_scope(whom.org_ids())
        if isinstance(whom, Organisation):
            return open_scope(subtree_ids([whom.path])[whom.path])
        return open_scope(whom)

    return opened


def money(value: Any) -> Decimal | None:
    """Yuan as Decimal from a number or text."""
    return None if value is None else Decimal(str(value))


def run_recording(
    org: Organisation, entries: list[Entry], day: date, recorded_at: datetime | None = None
) -> list[Project]:
    """Record facts as an action of the system would, audited, so that cached figures notice."""
    with everywhere(), transaction.atomic():
        act = Act(SYSTEM, "projects.create", "projects.edit", recorded_at or datetime.now(UTC))
        token = acting.set(act)
        try:
            projects = record(act, entries, day, recorded_at=recorded_at)
        finally:
            acting.reset(token)
        append(
            SYSTEM,
            [AuditRecord("projects.create", project, org.pk) for project in projects],
            rooms=act.touched,
        )
    return projects


@pytest.fixture
def make_project(db: None) -> Callable[..., Project]:
    """``make_project(org, name=…, kind=…, plan=…, done=…, started=…, as_of=…)``: a project with its facts; yuan.

    `plan` and `done` are the planned and done investment of the year of `as_of`, `total` the total investment. Further
    attributes of the project go in `version`, of the report in `report`. `lists` are codes of lists.
    """

    def make(
        org: Organisation,
        name: str | None = None,
        *,
        kind: str = "new_start",
        plan: Any = 1_000_000,
        done: Any = None,
        total: Any = 10_000_000,
        started: bool | None = None,
        resumed: bool | None = None,
        as_of: date = AS_OF,
        lists: Iterable[str] = (),
        recorded_at: datetime | None = None,
        version: dict[str, Any] | None = None,
        report: dict[str, Any] | None = None,
    ) -> Project:
        name = name or f"Project {next(_number)}"
        since = as_of.replace(month=1, day=1)
        plans = []
        if plan is not None or kind:
            plans = [
                {"year": as_of.year, "kind": kind, "planned_investment": money(plan), "effective_on": since}
            ]
        reports = []
        if done is not None or started is not None or resumed is not None or report:
            reports = [
                {
                    "investment_done": money(done),
                    "started": started,
                    "resumed": resumed,
                    "effective_on": as_of,
                    **(report or {}),
                }
            ]
        entry = Entry(
            org.pk,
            version={
                "name": name,
                "total_investment": money(total),
                "effective_on": since,
                **(version or {}),
            },
            plans=plans,
            reports=reports,
            lists=dict.fromkeys(lists, True),
        )
        (project,) = run_recording(org, [entry], since, recorded_at)
        return project

    return make
