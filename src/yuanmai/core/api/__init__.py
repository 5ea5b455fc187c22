"""The API kit: one way to authenticate, permit, page, filter, refuse (RFC 9457) and repeat safely.

A room's `api.py` holds one `router`::

    router = Router(tags=["projects"])

    @router.get("", permission=SEE_PROJECTS, response=Page[ProjectOut])
    def list_projects(request: ApiRequest, filters: Query[ProjectFilter], paging: Query[Paging]) -> Page[ProjectOut]:
        rows = ...                                   # a queryset, read within the caller's data scope
        return paginate(request, rows, paging, ProjectOut.of)

Every operation declares its permission (``""``: whoever is signed in). `request.actor` and `request.view` are there, the
data scope is open, `org`, `as_of` and `known_at` are understood in every address. Changing operations call actions;
what they raise (`Denied`, `ValidationError`, `Http404`, `Conflict`, `Faulty`) becomes a problem document.
"""

from ninja import Body, File, Form, Path, Query
from ninja.files import UploadedFile

from yuanmai.core.api.paging import (
    CursorPage,
    CursorPaging,
    Page,
    Paging,
    order_field,
    paginate,
    paginate_by_key,
)
from yuanmai.core.api.problems import Conflict, Fault, Faulty, Problem
from yuanmai.core.api.router import ROUTES, ApiRequest, Route, Router
from yuanmai.core.api.schema import Amount, Exact, Schema

__all__ = [
    "ROUTES",
    "Amount",
    "ApiRequest",
    "Body",
    "Conflict",
    "CursorPage",
    "CursorPaging",
    "Exact",
    "Fault",
    "Faulty",
    "File",
    "Form",
    "Page",
    "Paging",
    "Path",
    "Problem",
    "Query",
    "Route",
    "Router",
    "Schema",
    "UploadedFile",
    "order_field",
    "paginate",
    "paginate_by_key",
]
