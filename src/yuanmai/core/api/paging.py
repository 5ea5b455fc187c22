"""Lists in pages: by offset (with a count), or by key where the list only grows."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest
from pydantic import Field

from yuanmai.core.api.schema import Schema

T = TypeVar("T")
LARGEST_PAGE = 500


class Paging(Schema):
    """Which part of a list."""

    limit: int = Field(50, ge=1, le=LARGEST_PAGE, description="rows per page")
    offset: int = Field(0, ge=0, le=10_000_000, description="rows to leave out")


class CursorPaging(Schema):
    """Which part of a list that only grows: rows after the one where the last page ended."""

    limit: int = Field(50, ge=1, le=LARGEST_PAGE, description="rows per page")
    after: int | None = Field(None, ge=0, le=2**62, description="`next` of the page before")


class Page(Schema, Generic[T]):
    """A page of a list. `next` and `previous` are addresses on this host, or null."""

    items: list[T]
    count: int = Field(description="rows of the whole list")
    next: str | None
    previous: str | None


class CursorPage(Schema, Generic[T]):
    """A page of a list that only grows."""

    items: list[T]
    next: str | None = Field(description="address of the following page, null at the end")


def order_field(default: str, *fields: str) -> Any:
    """Return the field of a filter schema that chooses the order: one of `fields`, with ``-`` descending."""
    names = sorted({*fields, default.lstrip("-")})
    pattern = "^-?({})$".format("|".join(names))
    choices: list[Any] = [sign + name for name in names for sign in ("", "-")]
    return Field(
        default, pattern=pattern, json_schema_extra={"enum": choices}, description="order; - for descending"
    )


def _address(request: HttpRequest, **values: Any) -> str:
    parameters = request.GET.copy()
    for name, value in values.items():
        parameters[name] = str(value)
    return f"{request.path}?{urlencode(list(parameters.lists()), doseq=True)}"


def paginate(
    request: HttpRequest,
    rows: QuerySet[Any] | Sequence[Any],
    paging: Paging,
    view: Callable[[Any], T],
) -> Page[T]:
    """Return one page of `rows`, each turned into its document by `view`; two queries for a queryset.

    The order of a queryset must be total, or rows would be seen twice: the primary key is added as its last part.
    """
    if isinstance(rows, QuerySet):
        total = rows.count()
        if rows.ordered:
            rows = rows.order_by(*(rows.query.order_by or rows.model._meta.ordering), "pk")
        else:
            rows = rows.order_by("pk")
    else:
        total = len(rows)
    end = paging.offset + paging.limit
    return Page[Any](
        items=[view(row) for row in rows[paging.offset : end]],
        count=total,
        next=_address(request, limit=paging.limit, offset=end) if end < total else None,
        previous=_address(request, limit=paging.limit, offset=max(0, paging.offset - paging.limit))
        if paging.offset
        else None,
    )


def paginate_by_key(
    request: HttpRequest,
    rows: QuerySet[Any],
    paging: CursorPaging,
    view: Callable[[Any], T],
    *,
    key: str = "pk",
    newest_first: bool = True,
) -> CursorPage[T]:
    """Return one page of a list that only grows, by its whole-number `key`; one query, however far down."""
    if paging.after is not None:
        rows = rows.filter(**{f"{key}__lt" if newest_first else f"{key}__gt": paging.after})
    found = list(rows.order_by(f"-{key}" if newest_first else key)[: paging.limit + 1])
    more = len(found) > paging.limit
    shown = found[: paging.limit]
    last = getattr(shown[-1], key) if shown else None
    return CursorPage[Any](
        items=[view(row) for row in shown],
        next=_address(request, limit=paging.limit, after=last) if more else None,
    )
