"""What the documents of paying share."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.http import Http404
from pydantic import Field

from yuanmai.core.api import Router, Schema
from yuanmai.funds.engine.payments import Verdict
from yuanmai.funds.models import Contract, Tranche
from yuanmai.funds.paying.wording import sentence
from yuanmai.projects.models import Project

router = Router(tags=["funds"])


class FlagOut(Schema):
    """What a rule flagged: the entry was stored and a finding stands."""

    code: str
    text: str


def flags_of(verdicts: Iterable[Verdict]) -> list[FlagOut]:
    """Return what was flagged, in the language asked for."""
    return [FlagOut(code=verdict.code, text=sentence(verdict)) for verdict in verdicts]


class TakeBackIn(Schema):
    """Why an entry is taken back; it stays in the history."""

    reason: str = Field(max_length=500)


def project_of(uid: UUID) -> Project:
    """Return a project of the caller's data scope."""
    row = Project.objects.filter(uid=uid).first()
    if row is None:
        raise Http404
    return row


def contract_of(uid: UUID) -> Contract:
    """Return a contract of the caller's data scope."""
    row = Contract.objects.select_related("project", "use").filter(uid=uid).first()
    if row is None:
        raise Http404
    return row


def tranche_of(uid: UUID | None) -> Tranche | None:
    """Return a tranche that concerns the caller, None for one that is unknown: the action says so at its field."""
    return Tranche.objects.filter(uid=uid).first() if uid else None


def row_of(model: type[Any], pk: int, *related: str) -> Any:
    """Return a row of the caller's data scope by its id."""
    row = model._default_manager.select_related(*related).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row
