"""Figures for programs: the catalogue, one figure's answer, its parts and the rows behind it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.http import Http404
from pydantic import Field, create_model

from yuanmai.cockpit.answers import allowed, definition_document, figure_document, figure_url, visible
from yuanmai.common.plain import plain
from yuanmai.core.api import ApiRequest, Exact, Fault, Faulty, Page, Paging, Query, Router, Schema, paginate
from yuanmai.core.figures import FIGURES, Calendar, Figure, breakdown, rows
from yuanmai.core.figures import Query as Question
from yuanmai.core.figures.display import display_value
from yuanmai.core.permissions import SEE_FIGURES

router = Router(tags=["figures"])


class DefinitionOut(Schema):
    """What a figure is."""

    code: str
    name: str
    unit: str = Field(
        description="count, yuan, ratio (a fraction), points (a difference of fractions), m2, m, number"
    )
    definition: str
    source: str
    grain: str = Field(description="what one row behind the figure is")
    dimensions: list[str] = Field(description="what it can be split and narrowed by")


class FigureOut(Schema):
    """A figure's answer. `value` is unrounded, in yuan or as a fraction; null where it is undefined."""

    code: str
    name: str
    unit: str
    value: Exact | None
    display: str = Field(description="as on the page")
    numerator: Exact | None
    denominator: Exact | None
    as_of: date
    known_at: datetime | None
    rows_url: str = Field(description="the page with definition and rows")


class PartOut(Schema):
    """One part of a figure."""

    value: str = Field(description="value of the dimension; empty: not stated")
    label: str
    result: Exact | None
    display: str
    numerator: Exact | None
    denominator: Exact | None
    rows_url: str


class RowOut(Schema):
    """One row behind a figure with what it adds."""

    label: str
    url: str
    numerator: Exact | None
    denominator: Exact | None
    columns: dict[str, Any]


def _conditions() -> type[Schema]:
    """Return the parameters that narrow a figure: every dimension and condition that any figure has."""
    fields: dict[str, Any] = {}
    for figure in FIGURES.values():
        for dimension in (*figure.dimensions, *figure.conditions):
            fields[dimension.code] = (
                str | None,
                Field(None, description=f"only this {dimension.code}", max_length=200),
            )
    return create_model("FigureFilter", __base__=Schema, __module__=__name__, **fields)


FigureFilter: Any = _conditions()


def _ask(request: ApiRequest, code: str, filters: Any) -> tuple[Figure, Question]:
    figure = FIGURES.get(code)
    if figure is None:
        raise Http404
    given = {name: value for name, value in filters.dict(exclude_none=True).items() if name in request.GET}
    known = [dimension.code for dimension in (*figure.dimensions, *figure.conditions)]
    if wrong := [name for name in given if name not in known]:
        raise Faulty(
            [Fault(f"{code}: {', '.join(known) or '–'}", "unknown", parameter=name) for name in wrong]
        )
    return figure, allowed(request.actor, figure, request.view.query(**given))


def _org(request: ApiRequest) -> str | None:
    return request.view.org.code if request.view.org else None


@router.get("", permission=SEE_FIGURES, response=list[DefinitionOut])
def list_figures(request: ApiRequest) -> list[dict[str, Any]]:
    """List the figures that you may see, with their definitions."""
    return [definition_document(figure) for figure in visible(request.actor)]


@router.get("/{code}", permission=SEE_FIGURES, response=FigureOut)
def get_figure(request: ApiRequest, code: str, filters: Query[FigureFilter]) -> dict[str, Any]:
    """Answer one figure for an organisation, a day, and as known at a moment."""
    _figure, question = _ask(request, code, filters)
    return figure_document(code, question, _org(request))


@router.get("/{code}/by/{dimension}", permission=SEE_FIGURES, response=list[PartOut])
def get_parts(request: ApiRequest, code: str, dimension: str, filters: Query[FigureFilter]) -> list[PartOut]:
    """Split a figure by one of its dimensions."""
    figure, question = _ask(request, code, filters)
    if isinstance(figure, Calendar) or dimension not in [d.code for d in figure.dimensions]:
        raise Http404
    return [
        PartOut(
            value=group.value,
            label=str(group.label),
            result=group.result.value,
            display=display_value(group.result.value, figure.unit),
            numerator=group.result.numerator,
            denominator=group.result.denominator,
            rows_url=figure_url(code, question.where(**{dimension: group.value}), _org(request)),
        )
        for group in breakdown(code, question, dimension)
    ]


@router.get("/{code}/rows", permission=SEE_FIGURES, response=Page[RowOut])
def get_rows(
    request: ApiRequest, code: str, filters: Query[FigureFilter], paging: Query[Paging]
) -> Page[RowOut]:
    """List the rows behind a figure, each with what it adds to numerator and denominator."""
    figure, question = _ask(request, code, filters)
    _base, facts = rows(figure.code, question)
    return paginate(request, facts if facts is not None else [], paging, _row)


def _row(row: Any) -> RowOut:
    columns = {name: _plain(value) for name, value in row.view.columns.items()}
    return RowOut(
        label=row.view.label,
        url=row.view.url,
        numerator=row.numerator,
        denominator=row.denominator,
        columns=columns,
    )


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, int | float | str | Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, date) else str(value)
