"""Every address, as every role, with an object of one's own organisation and with a foreign one: only what is declared is
allowed. A new address is covered as soon as it exists; one that names an object needs its sample in ``SAMPLES``."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from tests.conftest import Orgs
from tests.house import alarm_samples, paying_samples, register_samples
from tests.house.matrix import DOCUMENT, Address, addresses, document, holds, role_presets
from yuanmai.core.policy import PERMISSIONS
from yuanmai.core.workbooks.kinds import KINDS
from yuanmai.people.models import User

ROLES = [role["code"] for role in role_presets()]
BY_CODE = {role["code"]: role for role in role_presets()}
REFUSED = {403}
HIDDEN = {403, 404}
# A change that is refused because its form is empty has changed nothing and shown nothing.
INVALID = {400, 409, 415, 422}


@dataclass
class World:
    """The samples' surroundings: the tree, who asks, somebody else, and one object of each kind here and there."""

    role: str
    orgs: Orgs
    user: User
    other: User
    own: dict[str, Any]
    foreign: dict[str, Any]


# Address (without method) → the parameters for an own and for a foreign object. ``None``: not an organisation's object.
Sample = Callable[[World, bool], dict[str, Any]]
SAMPLES: dict[str, Sample | None] = {}


def sample(*paths: str) -> Callable[[Sample], Sample]:
    """Register the parameters of these addresses."""

    def register(function: Sample) -> Sample:
        SAMPLES.update(dict.fromkeys(paths, function))
        return function

    return register


def by_room(address: Address) -> Sample | None:
    """The sample of an address: by its path, else by its room and parameters."""
    if address.path in SAMPLES:
        return SAMPLES[address.path]
    return SAMPLES.get(f"{address.room}:{','.join(address.parameters)}")


@sample("/figures/{code}", "/figures/{code}/export", "/api/v1/figures/{code}", "/api/v1/figures/{code}/rows")
def a_figure(world: World, own: bool) -> dict[str, Any]:
    return {"code": "projects.count"}


@sample("/api/v1/organisations/{code}")
def an_organisation(world: World, own: bool) -> dict[str, Any]:
    return {"code": world.orgs.north.code if own else world.orgs.foreign.code}


@sample("projects:uid")
def a_project(world: World, own: bool) -> dict[str, Any]:
    return {"uid": (world.own if own else world.foreign)["project"].uid}


@sample("/views/{pk}/delete/")
def a_saved_view(world: World, own: bool) -> dict[str, Any]:
    return {"pk": (world.own if own else world.foreign)["saved_view"].pk}


@sample("/bulletins/{uid}/", "/bulletins/{uid}/file.{extension}")
def a_bulletin(world: World, own: bool) -> dict[str, Any]:
    return {"uid": (world.own if own else world.foreign)["bulletin"].uid, "extension": "docx"}


@sample("/bulletins/draft.{extension}")
def a_file_type(world: World, own: bool) -> dict[str, Any]:
    return {"extension": "docx"}


@sample("/findings/{pk}/", "/api/v1/findings/{id}", "/api/v1/findings/{id}/explain", "/api/v1/findings/{id}/resolve",
        "/api/v1/findings/{id}/reopen")  # fmt: skip
def a_finding(world: World, own: bool) -> dict[str, Any]:
    pk = (world.own if own else world.foreign)["finding"].pk
    return {"pk": pk, "id": pk}


@sample("enterprises:pk")
def an_enterprise(world: World, own: bool) -> dict[str, Any]:
    return {"pk": (world.own if own else world.foreign)["enterprise"].pk}


@sample(
    "/places/{kind}/{pk}/",
    "/places/{kind}/{pk}/edit/",
    "/places/{kind}/{pk}/remove/",
    "/api/v1/places/{kind}/{pk}",
)
def a_park(world: World, own: bool) -> dict[str, Any]:
    return {"kind": "park", "pk": (world.own if own else world.foreign)["park"].pk}


@sample("/funds/projects/{uid}/", "/funds/projects/{uid}/edit/", "/api/v1/funds/projects/{uid}")
def funding_of_a_project(world: World, own: bool) -> dict[str, Any]:
    return a_project(world, own)


@sample("/projects/blockers/{pk}/")
def a_blocker(world: World, own: bool) -> dict[str, Any]:
    return {"pk": (world.own if own else world.foreign)["blocker"].pk}


@sample(
    "/import/{pk}/",
    "/import/{pk}/undo/",
    "/import/{pk}/columns/",
    "/import/{pk}/preview/",
    "/import/{pk}/commit/",
    "/import/{pk}/marked.xlsx",
    "/api/v1/imports/{id}",
    "/api/v1/imports/{id}/preview",
    "/api/v1/imports/{id}/commit",
    "/api/v1/imports/{id}/undo",
)
def an_import(world: World, own: bool) -> dict[str, Any]:
    batches = (world.own if own else world.foreign)["batches"]
    # A workbook of a kind that the role may import, where there is one: each kind has a right of its own.
    mine = [code for code, kind in KINDS.items() if holds(BY_CODE[world.role], kind.permission)]
    pk = batches[mine[0] if mine else "key_project_ledger"].pk
    return {"pk": pk, "id": pk}


@sample("/account/tokens/{pk}/revoke/")
def a_token(world: World, own: bool) -> dict[str, Any]:
    return {"pk": (world.own if own else world.foreign)["token"].pk}


@sample("/account/subscriptions/{pk}/end/")
def a_subscription(world: World, own: bool) -> dict[str, Any]:
    return {"pk": (world.own if own else world.foreign)["subscription"].pk}


@sample("/account/sessions/{pk}/end/")
def a_session(world: World, own: bool) -> dict[str, Any]:
    return {"pk": (world.own if own else world.foreign)["session"].pk}


@sample(
    "/manage/users/{pk}/",
    "/manage/users/{pk}/edit/",
    "/manage/users/{pk}/lock/",
    "/manage/users/{pk}/unlock/",
    "/manage/users/{pk}/reset/",
    "/manage/users/{pk}/factor/",
    "/manage/users/{pk}/posts/",
    "/manage/users/{pk}/posts/{post_pk}/take/",
)
def a_colleague(world: World, own: bool) -> dict[str, Any]:
    post = (world.own if own else world.foreign)["post"]
    return {"pk": post.user_id, "post_pk": post.pk}


@sample("/manage/roles/{code}/", "/manage/roles/{code}/second-factor/")
def a_role(world: World, own: bool) -> dict[str, Any]:
    return {"code": "leader"}


@sample("/manage/audit/{sequence}/")
def an_audit_entry(world: World, own: bool) -> dict[str, Any]:
    return {"sequence": (world.own if own else world.foreign)["audit_entry"].sequence}


@sample("/places/undo/{token}/")
def an_undoable_change(world: World, own: bool) -> dict[str, Any]:
    return {"token": (world.own if own else world.foreign)["undo_step"].token}


@sample("/import/template/{code}.xlsx")
def a_kind_of_workbook(world: World, own: bool) -> dict[str, Any]:
    return {"code": "enterprises"}


@sample("/places/building/{building}/units/add/", "/places/building/{building}/units/{pk}/")
def a_unit(world: World, own: bool) -> dict[str, Any]:
    unit = (world.own if own else world.foreign)["unit"]
    return {"building": unit.building_id, "pk": unit.pk}


@sample(
    "/jobs/{pk}/", "/jobs/{pk}/state", "/jobs/{pk}/cancel", "/api/v1/jobs/{id}", "/api/v1/jobs/{id}/cancel"
)
def a_job(world: World, own: bool) -> dict[str, Any]:
    pk = (world.own if own else world.foreign)["job"].pk
    return {"pk": pk, "id": pk}


@sample("/jobs/{pk}/retry", "/api/v1/jobs/{id}/retry")
def a_failed_job(world: World, own: bool) -> dict[str, Any]:
    pk = (world.own if own else world.foreign)["failed_job"].pk
    return {"pk": pk, "id": pk}


@sample("/manage/organisations/{code}/")
def an_organisation_page(world: World, own: bool) -> dict[str, Any]:
    return an_organisation(world, own)


@sample("/funds/bonds/projects/{uid}/")
def a_project_with_bonds(world: World, own: bool) -> dict[str, Any]:
    return a_project(world, own)


@sample(
    *(f"/funds/bonds/{{uid}}/{part}" for part in ("", "edit/", "remove/", "service/", "chain/", "allot/", "left/", "redeem/")),
    "/api/v1/funds/bonds/tranches/{uid}",
    "/api/v1/funds/bonds/tranches/{uid}/allotments",
)  # fmt: skip
def a_tranche(world: World, own: bool) -> dict[str, Any]:
    return {"uid": (world.own if own else world.foreign)["tranche"].uid}


def _movement(kind: str) -> Sample:
    def parameters(world: World, own: bool) -> dict[str, Any]:
        row = (world.own if own else world.foreign)[kind]
        return {"uid": row.tranche.uid, "pk": row.pk, "id": row.pk}

    return parameters


sample(
    "/funds/bonds/{uid}/allotments/{pk}/take-back/",
    "/api/v1/funds/bonds/tranches/{uid}/allotments/{id}/take-back",
)(_movement("allotment"))
sample("/funds/bonds/{uid}/redemptions/{pk}/take-back/")(_movement("redemption"))
sample("/funds/bonds/{uid}/chain/{pk}/take-back/")(_movement("on_lending"))


@sample("/funds/bonds/quota/{pk}/take-back/")
def a_quota(world: World, own: bool) -> dict[str, Any]:
    return {"pk": (world.own if own else world.foreign)["quota"].pk}


def _of_paying(find: paying_samples.Found) -> Sample:
    return lambda world, own: find(world.own if own else world.foreign)


SAMPLES.update({path: _of_paying(find) for path, find in paying_samples.PARAMETERS.items()})
SAMPLES.update({path: _of_paying(find) for path, find in alarm_samples.PARAMETERS.items()})
SAMPLES.update({path: _of_paying(find) for path, find in register_samples.PARAMETERS.items()})


# Where no object is at hand the address is called with parameters that name nothing: whoever lacks the right is refused,
# whoever has it is told that there is no such thing. Ownership behind these is tested by the rooms themselves.
NOTHING = {
    "pk": 999999999, "id": 999999999, "sequence": 999999999, "post_pk": 999999999, "building": 999999999,
    "uid": "00000000-0000-4000-8000-000000000000", "token": "none", "text": "none", "body": "reform", "ending": "docx", "code": "none", "kind": "park", "step": "hand",
    "dimension": "kind", "provider_id": "oidc", "extension": "docx",
}  # fmt: skip

# Addresses whose parameter is not an object of an organisation: nothing is foreign there.
COMMON = {
    "/bulletins/draft.{extension}",
    "/figures/{code}",
    "/figures/{code}/export",
    "/api/v1/figures/{code}",
    "/api/v1/figures/{code}/rows",
    "/import/template/{code}.xlsx",
    "/manage/roles/{code}/",
}
# What belongs to the whole installation: who holds a right in one park only may not change it, whatever the right.
EVERYBODYS = {"/manage/roles/{code}/second-factor/"}


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


def add_samples(objects: dict[str, Any], org: Any, user: User) -> None:
    """One object of each further kind that an address can name."""
    from allauth.usersessions.models import UserSession

    from yuanmai.cockpit.models import Bulletin
    from yuanmai.core.audit.models import AuditEntry
    from yuanmai.core.findings import Finding
    from yuanmai.core.jobs.models import Job
    from yuanmai.core.saved.models import SavedView
    from yuanmai.core.scope import everywhere
    from yuanmai.core.undo.models import UndoStep
    from yuanmai.core.workbooks.models import ImportBatch
    from yuanmai.enterprises.models import Enterprise
    from yuanmai.people.models import ApiToken, Post, Subscription
    from yuanmai.places.models import Building, Park, Unit
    from yuanmai.projects.models import Blocker

    with everywhere():
        objects["bulletin"] = Bulletin.objects.create(
            org=org, uid=uuid.uuid4(), kind="month", period="2022-03", title="Bulletin", org_ids=[org.pk],
            as_of=date(2022, 3, 31), known_at=timezone.now(), issued_at=timezone.now(), word=b"PK", pdf=b"%PDF",
        )  # fmt: skip
        objects["finding"] = Finding.objects.create(
            org=org,
            kind="projects.total",
            key=f"matrix-{org.pk}",
            effective_on=date(2022, 3, 31),
            found_at=timezone.now(),
        )
        objects["enterprise"] = Enterprise.objects.create(org=org, name="Works")
        objects["park"] = Park.objects.create(org=org, code="p1", name="Park")
        objects["blocker"] = Blocker.objects.create(
            org=org, project=objects["project"], kind="land", title="Land", opened_on=date(2022, 3, 1),
            recorded_at=timezone.now(),
        )  # fmt: skip
        objects["batches"] = {
            kind: ImportBatch.objects.create(
                org=org,
                kind=kind,
                file_name="a.xlsx",
                digest="0" * 64,
                created_at=timezone.now(),
                created_by=user,
            )
            for kind in KINDS
        }
        objects["post"] = Post.objects.get(user=objects["colleague"])
        objects["token"] = ApiToken.objects.create(
            user=user, name="t", prefix=uuid.uuid4().hex[:12], digest=uuid.uuid4().hex * 2, permissions=[], created_at=timezone.now(),
            expires_at=timezone.now() + timedelta(days=1),
        )  # fmt: skip
        objects["subscription"] = Subscription.objects.create(
            user=user, kind="calendar", name="s", language="en", created_at=timezone.now()
        )
        objects["session"] = UserSession.objects.create(
            user=user,
            session_key=uuid.uuid4().hex,
            ip="127.0.0.1",
            user_agent="test",
            created_at=timezone.now(),
        )
        objects["audit_entry"] = AuditEntry.objects.filter(org_id=org.pk).latest("sequence")
        objects["undo_step"] = UndoStep.objects.create(
            org=org, action="places.edit", created_at=timezone.now()
        )
        building = Building.objects.create(org=org, code="b1", name="Building")
        objects["unit"] = Unit.objects.create(org=org, building=building, code="u1", area=100)
        objects["job"] = Job.objects.create(
            org=org, kind="core.import_workbook", title="Import", created_at=timezone.now(), created_by=user
        )
        objects["failed_job"] = Job.objects.create(
            org=org,
            kind="core.import_workbook",
            title="Import",
            created_at=timezone.now(),
            created_by=user,
            state="failed",
        )
        objects["saved_view"] = SavedView.objects.create(
            user=user, org=org, path="/projects/", name="Mine", created_at=timezone.now()
        )


def add_bonds(objects: dict[str, Any], org: Any) -> None:
    """A tranche with what can be done with it, and a quota."""
    from yuanmai.core.scope import everywhere
    from yuanmai.funds.models import Allotment, EarlyRedemption, OnLending, Quota, Tranche

    day, now = date(2022, 3, 1), timezone.now()
    with everywhere():
        tranche = objects["tranche"] = Tranche.objects.create(
            org=org, uid=uuid.uuid4(), code="1", name="Bond", amount=100, allotted=10, rate="0.03", term_years=10,
            tendered_on=day, value_date=day, frequency=2, recorded_at=now,
        )  # fmt: skip
        fact: dict[str, Any] = {"tranche": tranche, "amount": 10, "effective_on": day, "recorded_at": now}
        objects["allotment"] = Allotment.objects.create(project=objects["project"], **fact)
        objects["redemption"] = EarlyRedemption.objects.create(project=objects["project"], **fact)
        objects["on_lending"] = OnLending.objects.create(org=org, lender=org, **fact)
        objects["quota"] = Quota.objects.create(
            org=org, year=2022, amount=100, effective_on=day, recorded_at=now
        )
        paying_samples.add(objects, org)
        alarm_samples.add(objects, org)
        register_samples.add(objects, org)


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
