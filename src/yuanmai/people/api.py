"""The people room for programs: who I am, and the organisations of my data scope."""

from datetime import date

from django.http import Http404
from django.utils import timezone
from pydantic import Field

from yuanmai.core.api import ApiRequest, Page, Paging, Query, Router, Schema, paginate
from yuanmai.people.actor import UserActor
from yuanmai.people.models import Organisation
from yuanmai.people.permissions import SEE_ORGANISATIONS

router = Router(tags=["people"])


class PostOut(Schema):
    """A role held at an organisation and in everything below it."""

    role: str
    role_name: str
    organisation: str | None = Field(description="code")


class MeOut(Schema):
    """Who asks, and what the answer to every other question depends on."""

    username: str
    full_name: str
    posts: list[PostOut]
    permissions: list[str] = Field(description="rights held somewhere; a token may carry fewer than its user")
    organisation: str | None = Field(
        description="code of the organisation that answers are about unless `org` is given"
    )
    as_of: date
    today: date


@router.get("/me", permission="", response=MeOut)
def me(request: ApiRequest) -> MeOut:
    """Say who asks, with which rights, and for which organisation and day."""
    actor = request.actor
    assert isinstance(actor, UserActor)
    codes = dict(Organisation.objects.filter(id__in=actor.org_ids()).values_list("id", "code"))
    held = [code for code in sorted(actor.grants.by_permission) if actor.why_not(code) is None]
    return MeOut(
        username=actor.user.username,
        full_name=actor.user.full_name,
        posts=[
            PostOut(role=p.role, role_name=p.role_name, organisation=codes.get(p.org_id))
            for p in actor.grants.posts
        ],
        permissions=held,
        organisation=request.view.org.code if request.view.org else None,
        as_of=request.view.as_of,
        today=timezone.localdate(),
    )


class OrganisationOut(Schema):
    """A node of the organisation tree."""

    code: str
    name: str
    name_en: str
    short_name: str
    kind: str
    parent: str | None = Field(description="code of the organisation above, where you may see it")
    depth: int
    active: bool


class OrganisationFilter(Schema):
    """Which organisations."""

    kind: Organisation.Kind | None = None
    active: bool | None = None


def _document(org: Organisation, by_path: dict[str, str]) -> OrganisationOut:
    return OrganisationOut(
        code=org.code,
        name=org.name,
        name_en=org.name_en,
        short_name=org.short_name,
        kind=org.kind,
        parent=by_path.get(org.path[: -Organisation.steplen]),
        depth=org.depth,
        active=org.active,
    )


def _codes(request: ApiRequest) -> dict[str, str]:
    ids = request.actor.org_ids()
    return dict(Organisation.objects.filter(id__in=ids).values_list("path", "code"))


@router.get("/organisations", permission=SEE_ORGANISATIONS, response=Page[OrganisationOut])
def list_organisations(
    request: ApiRequest, filters: Query[OrganisationFilter], paging: Query[Paging]
) -> Page[OrganisationOut]:
    """List the chosen organisation and all below it, in the order of the tree."""
    rows = Organisation.objects.filter(id__in=request.view.org_ids).order_by("path")
    if filters.kind is not None:
        rows = rows.filter(kind=filters.kind)
    if filters.active is not None:
        rows = rows.filter(active=filters.active)
    codes = _codes(request)
    return paginate(request, rows, paging, lambda org: _document(org, codes))


@router.get("/organisations/{code}", permission=SEE_ORGANISATIONS, response=OrganisationOut)
def get_organisation(request: ApiRequest, code: str) -> OrganisationOut:
    """Show one organisation of your data scope."""
    org = Organisation.objects.filter(code=code, id__in=request.actor.org_ids()).first()
    if org is None:
        raise Http404
    return _document(org, _codes(request))
