"""What the access matrix calls addresses with: the parameters that name one's own and a foreign object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.conftest import Orgs
from tests.house import alarm_samples, paying_samples, register_samples
from tests.house.matrix import Address, holds, role_presets
from yuanmai.core.workbooks.kinds import KINDS
from yuanmai.people.models import User

BY_CODE = {role["code"]: role for role in role_presets()}


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
