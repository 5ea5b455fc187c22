"""Product templates for programs."""

from typing import Any

from django.http import Http404
from pydantic import Field

from yuanmai.core.api import ApiRequest, Router, Schema
from yuanmai.devices.models import ProductTemplate
from yuanmai.devices.models.registry import Protocol
from yuanmai.devices.permissions import KEEP_DEVICES, SEE_DEVICES
from yuanmai.devices.registry import actions
from yuanmai.devices.registry.queries import template_or_404, template_points, templates_for
from yuanmai.devices.registry.schemas import PointDoc
from yuanmai.people.models import Organisation

router = Router(tags=["devices"])


class TemplateOut(Schema):
    """A product template."""

    id: int
    organisation: str = Field(description="code of the organisation that keeps it; it serves all below")
    code: str
    name: str
    name_en: str
    protocol: Protocol
    maker: str
    icon: str
    profile: dict[str, Any]
    source: str
    retired: bool


class TemplateWhole(TemplateOut):
    """A product template with its points."""

    points: list[PointDoc]


class TemplateIn(Schema):
    """A template to be entered."""

    organisation: str = Field(max_length=60)
    code: str = Field(max_length=60)
    name: str = Field(max_length=120)
    name_en: str = Field("", max_length=160)
    protocol: Protocol
    maker: str = Field("", max_length=120)
    icon: str = Field("cpu", max_length=40)
    profile: dict[str, Any] = Field(default_factory=dict)
    source: str = Field("", max_length=200)
    points: list[PointDoc] = Field(default_factory=list, max_length=500)


class TemplateChange(Schema):
    """What is to be changed; what is left out stays. With `pass_on` its devices follow."""

    name: str | None = Field(None, max_length=120)
    name_en: str | None = Field(None, max_length=160)
    maker: str | None = Field(None, max_length=120)
    profile: dict[str, Any] | None = None
    source: str | None = Field(None, max_length=200)
    points: list[PointDoc] | None = Field(None, max_length=500)
    pass_on: bool = False


def _told(row: ProductTemplate) -> dict[str, Any]:
    return {
        "id": row.pk, "organisation": row.org.code, "code": row.code, "name": row.name, "name_en": row.name_en,
        "protocol": Protocol(row.protocol), "maker": row.maker, "icon": row.icon, "profile": row.profile, "source": row.source,
        "retired": row.retired_at is not None,
    }  # fmt: skip


def _whole(row: ProductTemplate) -> TemplateWhole:
    points = [PointDoc.of(point, numbered=False) for point in template_points(row)]
    return TemplateWhole(**_told(row), points=points)


def _one(request: ApiRequest, pk: int) -> ProductTemplate:
    return template_or_404(pk, list(request.actor.org_ids(SEE_DEVICES)))


@router.get("", permission=SEE_DEVICES, response=list[TemplateOut])
def list_templates(request: ApiRequest) -> list[TemplateOut]:
    """List the templates that serve an organisation: its own and those of the organisations above and below."""
    allowed = request.actor.org_ids(SEE_DEVICES)
    rows = templates_for([pk for pk in request.view.org_ids if pk in allowed])
    return [TemplateOut(**_told(row)) for row in rows]


@router.post("", permission=KEEP_DEVICES, response={201: TemplateWhole})
def add_template(request: ApiRequest, template: TemplateIn) -> tuple[int, TemplateWhole]:
    """Enter a template with its points."""
    values = template.dict()
    org = Organisation.objects.filter(
        code=values.pop("organisation"), pk__in=list(request.actor.org_ids())
    ).first()
    if org is None:
        raise Http404
    values["points"] = [point.told() for point in template.points]
    values["protocol"] = template.protocol.value
    row = actions.add_template(request.actor, org.pk, **values)
    return 201, _whole(_one(request, row.pk))


@router.get("/{int:pk}", permission=SEE_DEVICES, response=TemplateWhole)
def get_template(request: ApiRequest, pk: int) -> TemplateWhole:
    """Show a template with its points."""
    return _whole(_one(request, pk))


@router.patch("/{int:pk}", permission=KEEP_DEVICES, response=TemplateWhole)
def change_template(request: ApiRequest, pk: int, change: TemplateChange) -> TemplateWhole:
    """Change a template, and on request its devices with it."""
    row = _one(request, pk)
    values = change.dict(exclude_unset=True)
    pass_on = values.pop("pass_on", False)
    points = [point.told() for point in change.points] if change.points is not None else None
    values.pop("points", None)
    actions.revise_template(request.actor, row, points, pass_on=pass_on, **values)
    return _whole(_one(request, pk))


@router.delete("/{int:pk}", permission=KEEP_DEVICES, response={204: None})
def retire_template(request: ApiRequest, pk: int) -> tuple[int, None]:
    """Offer a template no more; devices that have it keep it."""
    actions.retire_template(request.actor, _one(request, pk))
    return 204, None
