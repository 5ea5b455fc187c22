"""Physical work for programs."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field

from yuanmai.core.api import ApiRequest, Exact, Schema
from yuanmai.core.figures import Query as Question
from yuanmai.funds.models import WorkItem
from yuanmai.funds.paying import actions
from yuanmai.funds.paying.api.base import FlagOut, contract_of, flags_of, project_of, router, row_of
from yuanmai.funds.paying.queries import WorkDone, work_done
from yuanmai.funds.permissions import KEEP_CONTRACTS, SEE_FUNDS
from yuanmai.places.models import Building

Quantity = Annotated[Decimal, Field(max_digits=14, decimal_places=2, allow_inf_nan=False)]


class WorkOut(Schema):
    """A physical work quantity, planned and as last measured."""

    id: int
    name: str
    unit: str
    planned: Exact
    measured: Exact
    measured_on: date | None
    share: Exact | None = Field(description="measured ÷ planned, unrounded")
    building: int | None


def _work(item: WorkDone) -> WorkOut:
    return WorkOut(
        id=item.item_id,
        name=item.name,
        unit=item.unit,
        planned=item.planned,
        measured=item.measured,
        measured_on=item.measured_on,
        share=item.share,
        building=item.building_id,
    )


@router.get("/projects/{uuid:uid}/works", permission=SEE_FUNDS, response=list[WorkOut])
def list_works(request: ApiRequest, uid: UUID) -> list[WorkOut]:
    """List the physical work of a project."""
    project = project_of(uid)
    query = Question((project.org_id,), request.view.as_of, request.view.known_at)
    return [_work(item) for item in work_done(query, [project.pk]).get(project.pk, [])]


class WorkIn(Schema):
    """A physical work quantity as planned."""

    name: str = Field(max_length=160)
    unit: str = Field(max_length=20)
    planned: Quantity
    contract: UUID | None = None
    building: int | None = None


@router.post("/projects/{uuid:uid}/works", permission=KEEP_CONTRACTS, response={201: WorkOut})
def plan_work(request: ApiRequest, uid: UUID, body: WorkIn) -> tuple[int, WorkOut]:
    """Plan a physical work quantity."""
    project = project_of(uid)
    row = actions.plan_work(
        request.actor,
        project,
        name=body.name,
        unit=body.unit,
        planned=body.planned,
        contract=contract_of(body.contract) if body.contract else None,
        building=row_of(Building, body.building) if body.building is not None else None,
    )
    made = WorkDone(row.pk, row.project_id, row.contract_id, row.building_id, row.name, row.unit, row.planned)
    return 201, _work(made)


class MeasurementIn(Schema):
    """How much stands on the ground, cumulative."""

    quantity: Quantity
    effective_on: date
    note: str = Field("", max_length=200)
    confirmed: bool = Field(False, description="save although it is less than before or more than planned")


class MeasurementOut(Schema):
    """A measurement."""

    id: int
    work: int
    quantity: Exact
    effective_on: date
    flags: list[FlagOut] = Field(default_factory=list)


@router.post("/works/{int:pk}/measurements", permission=KEEP_CONTRACTS, response={201: MeasurementOut})
def measure(request: ApiRequest, pk: int, body: MeasurementIn) -> tuple[int, MeasurementOut]:
    """Record how much of a work stands on the ground."""
    item = row_of(WorkItem, pk, "project")
    row, flags = actions.measure(
        request.actor, item, body.effective_on, body.quantity, note=body.note, confirmed=body.confirmed
    )
    return 201, MeasurementOut(
        id=row.pk, work=item.pk, quantity=row.quantity, effective_on=row.effective_on, flags=flags_of(flags)
    )
