"""Every address, as every role, with an object of one's own organisation and with a foreign one: only what is declared is
allowed. A new address is covered as soon as it exists; one that names an object needs its sample in ``samples.SAMPLES``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from tests.conftest import Orgs
from tests.house.matrix import DOCUMENT, Address, addresses, document, holds, role_presets
from tests.house.sample_objects import add_bonds, add_samples
from tests.house.samples import BY_CODE, COMMON, EVERYBODYS, NOTHING, World, by_room
from yuanmai.core.policy import PERMISSIONS
from yuanmai.people.models import User

ROLES = [role["code"] for role in role_presets()]
REFUSED = {403}
HIDDEN = {403, 404}
# A change that is refused because its form is empty has changed nothing and shown nothing.
INVALID = {400, 409, 415, 422}


@pytest.fixture
def world(
    orgs: Orgs, make_user: Callable[..., User], make_project: Callable[..., Any]
) -> Callable[[str | None], World]:
    """``world("leader")``: a user with that role in the northern park, and one object of each kind here and abroad."""

    def make(role: str | None) -> World:
        user = make_user(role or "leader", orgs.north)
        other = make_user("leader", orgs.foreign)
        own = {"project": make_project(orgs.north)}
        foreign = {"project": make_project(orgs.foreign)}
        # Whom those who manage accounts and posts find there: a colleague, never oneself.
        own["colleague"], foreign["colleague"] = (
            make_user("operator", orgs.north),
            make_user("operator", orgs.foreign),
        )
        add_samples(own, orgs.north, user)
        add_samples(foreign, orgs.foreign, other)
        add_bonds(own, orgs.north)
        add_bonds(foreign, orgs.foreign)
        return World(role or "leader", orgs, user, other, own, foreign)

    return make


def ours() -> list[Address]:
    return addresses()[0]


def ask(client: Client, address: Address, parameters: dict[str, Any]) -> int:
    """The status of one call, whose effects are rolled back. Pages are asked for, then (if they only take forms) sent one."""
    path = address.path
    for name, value in parameters.items():
        path = path.replace("{" + name + "}", str(value))
    point = transaction.savepoint()
    try:
        if address.api:
            body = {} if address.method == "GET" else {"data": "{}", "content_type": "application/json"}
            return getattr(client, address.method.lower())(path, **body).status_code
        status = client.get(path).status_code
        return client.post(path, {}).status_code if status == 405 else status
    finally:
        transaction.savepoint_rollback(point)


def cells(world: World | None) -> Iterator[tuple[Address, dict[str, Any], bool | None]]:
    """(address, parameters, whether the object is one's own or None where there is none)."""
    for address in ours():
        if not address.parameters:
            yield address, {}, None
            continue
        sample_of = by_room(address)
        if world is None:
            continue
        if sample_of is None:
            unknown = set(address.parameters) - set(NOTHING)
            assert not unknown, f"say what {unknown} of {address.path} may be"
            yield address, {name: NOTHING[name] for name in address.parameters}, None
            continue
        if address.path in EVERYBODYS:
            yield address, sample_of(world, False), False
        elif address.path in COMMON:
            yield address, sample_of(world, True), None
        else:
            yield address, sample_of(world, True), True
            yield address, sample_of(world, False), False


def verdict(address: Address, status: int, allowed: bool, own: bool | None) -> str | None:
    """What is wrong with a status, or None."""
    if status >= 500:
        return "broke"
    if address.permission is None:  # what a public page answers is its own affair
        return None
    if not allowed:
        return None if status in REFUSED else "should be refused"
    if own is False:
        fine = HIDDEN | (INVALID if address.method != "GET" else set())
        return None if status in fine else "shows or changes what belongs to somebody else"
    # With an empty form a change may be refused for its content (and what it names not found); never for a right.
    forbidden = {401, 403} if own is None else {401, 403, 404}
    return None if status not in forbidden else "should be allowed"


def test_every_address_declares_the_right_it_needs() -> None:
    found, undeclared = addresses()
    assert undeclared == []
    assert [a for a in found if a.permission and a.permission not in PERMISSIONS] == []
    assert [a.path for a in found if a.permission is None and not a.reason] == []


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_a_role_can_do_what_is_declared_and_nothing_else(
    role: str, world: Callable[[str | None], World], client_as: Callable[..., Client]
) -> None:
    made = world(role)
    client = client_as(made.user)
    client.raise_request_exception = False
    wrong, checked = [], 0
    for address, parameters, own in cells(made):
        status = ask(client, address, parameters)
        checked += 1
        if what := verdict(address, status, holds(BY_CODE[role], address.permission), own):
            whose = {True: "own", False: "foreign", None: ""}[own]
            wrong.append(f"{address.method} {address.path} {whose} → {status}: {what} ({address.permission})")
    assert not wrong, "\n".join(wrong)
    assert checked >= len(ours())


@pytest.mark.django_db
def test_nobody_in_particular_sees_only_what_is_public(world: Callable[[str | None], World]) -> None:
    made = world(None)
    client = Client()
    client.raise_request_exception = False
    wrong = []
    for address, parameters, _own in cells(made):
        status = ask(client, address, parameters)
        refused = status == 401 if address.api else status == 302
        if status >= 500 or (address.permission is not None and not refused):
            wrong.append(f"{address.method} {address.path} → {status}")
    assert not wrong, "\n".join(wrong)


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text("utf-8") == document(), "run: .venv/bin/python -m tests.house.matrix"
