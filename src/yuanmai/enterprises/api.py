"""The register of enterprises for programs."""

from django.http import Http404
from pydantic import Field

from yuanmai.core.api import ApiRequest, Page, Paging, Query, Router, Schema, paginate
from yuanmai.enterprises import actions
from yuanmai.enterprises.models import Enterprise
from yuanmai.enterprises.permissions import EDIT_ENTERPRISES, SEE_ENTERPRISES
from yuanmai.enterprises.queries import named, register
from yuanmai.people.models import Organisation

router = Router(tags=["enterprises"])


class EnterpriseOut(Schema):
    """An enterprise of the register."""

    id: int
    organisation: str = Field(description="code of the organisation that keeps the register")
    name: str
    credit_code: str = Field(description="unified social credit code, GB 32100-2015; empty where unknown")
    industry: str
    chain: str
    chain_role: str
    park: str | None = Field(description="code of the park")
    address: str
    contact: str
    phone: str
    note: str


class EnterpriseIn(Schema):
    """An enterprise to be entered."""

    organisation: str = Field(max_length=60)
    name: str = Field(max_length=160)
    credit_code: str = Field("", max_length=40)
    industry: str = Field("", max_length=120)
    chain: str = Field("", max_length=80)
    chain_role: str = Field("", max_length=40)
    address: str = Field("", max_length=200)
    contact: str = Field("", max_length=80)
    phone: str = Field("", max_length=40)
    note: str = Field("", max_length=4000)


class EnterpriseChange(Schema):
    """What is to be changed; what is left out stays."""

    name: str | None = Field(None, max_length=160)
    credit_code: str | None = Field(None, max_length=40)
    industry: str | None = Field(None, max_length=120)
    chain: str | None = Field(None, max_length=80)
    chain_role: str | None = Field(None, max_length=40)
    address: str | None = Field(None, max_length=200)
    contact: str | None = Field(None, max_length=80)
    phone: str | None = Field(None, max_length=40)
    note: str | None = Field(None, max_length=4000)


class EnterpriseFilter(Schema):
    """Which enterprises."""

    q: str | None = Field(None, max_length=60, description="part of the name or credit code, or pinyin")
    industry: str | None = Field(None, max_length=120)


def _document(row: Enterprise) -> EnterpriseOut:
    return EnterpriseOut(
        id=row.pk,
        organisation=row.org.code,
        name=row.name,
        credit_code=row.credit_code,
        industry=row.industry,
        chain=row.chain,
        chain_role=row.chain_role,
        park=row.park.code if row.park else None,
        address=row.address,
        contact=row.contact,
        phone=row.phone,
        note=row.note,
    )


def _one(request: ApiRequest, pk: int) -> Enterprise:
    rows = register(request.actor.org_ids(SEE_ENTERPRISES)).select_related("org", "park")
    row = rows.filter(pk=pk).first() if pk < 2**62 else None
    if row is None:
        raise Http404
    return row


@router.get("", permission=SEE_ENTERPRISES, response=Page[EnterpriseOut])
def list_enterprises(
    request: ApiRequest, filters: Query[EnterpriseFilter], paging: Query[Paging]
) -> Page[EnterpriseOut]:
    """List the register of an organisation and all below it."""
    allowed = request.actor.org_ids(SEE_ENTERPRISES)
    rows = register([pk for pk in request.view.org_ids if pk in allowed], request.view.known_at)
    if filters.q:
        rows = named(rows, filters.q)
    if filters.industry:
        rows = rows.filter(industry=filters.industry)
    return paginate(request, rows.select_related("org", "park").order_by("name"), paging, _document)


@router.get("/{int:pk}", permission=SEE_ENTERPRISES, response=EnterpriseOut)
def get_enterprise(request: ApiRequest, pk: int) -> EnterpriseOut:
    """Show one enterprise."""
    return _document(_one(request, pk))


@router.post("", permission=EDIT_ENTERPRISES, response={201: EnterpriseOut})
def add_enterprise(request: ApiRequest, enterprise: EnterpriseIn) -> tuple[int, EnterpriseOut]:
    """Enter an enterprise into the register of an organisation."""
    values = enterprise.dict()
    code = values.pop("organisation")
    org = Organisation.objects.filter(code=code, pk__in=request.actor.org_ids()).first()
    if org is None:
        raise Http404
    row = actions.add_enterprise(request.actor, org.pk, **values)
    return 201, _document(_one(request, row.pk))


@router.patch("/{int:pk}", permission=EDIT_ENTERPRISES, response=EnterpriseOut)
def change_enterprise(request: ApiRequest, pk: int, change: EnterpriseChange) -> EnterpriseOut:
    """Change what is known of an enterprise."""
    actions.revise_enterprise(request.actor, _one(request, pk), **change.dict(exclude_none=True))
    return _document(_one(request, pk))


@router.delete("/{int:pk}", permission=EDIT_ENTERPRISES, response={204: None})
def retire_enterprise(request: ApiRequest, pk: int) -> tuple[int, None]:
    """Take an enterprise out of the register."""
    actions.retire_enterprise(request.actor, _one(request, pk))
    return 204, None
