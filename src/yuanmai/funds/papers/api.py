"""Papers of special bonds for programs: the projects of a place as open infrastructure data."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from yuanmai.core.api import ApiRequest, Router, Schema
from yuanmai.core.api.problems import Problem
from yuanmai.core.figures import Query
from yuanmai.funds.papers.oc4ids.gather import project_ids
from yuanmai.funds.papers.oc4ids.stream import package, uri_of
from yuanmai.funds.permissions import SEE_FUNDS

router = Router(tags=["funds"])


class PackageOut(Schema):
    """An OC4IDS 0.9.5 project package; what a project's document holds is told by the standard."""

    uri: str
    publishedDate: datetime  # noqa: N815  (the name of the standard)
    version: str
    publisher: dict[str, str]
    projects: list[dict[str, Any]]


def asked(request: ApiRequest) -> Query:
    """Return the question of a request, of the organisations whose funds the caller may see."""
    allowed = request.actor.org_ids(SEE_FUNDS)
    return Query(
        tuple(pk for pk in request.view.org_ids if pk in allowed), request.view.as_of, request.view.known_at
    )


def answer(request: ApiRequest) -> StreamingHttpResponse:
    """Return the package of a request as a download; raises `Problem` where there is no project."""
    query, org = asked(request), request.view.org
    if org is None or not project_ids(query):
        raise Problem(HTTPStatus.NOT_FOUND, _("There is no project to export."), code="empty")
    pieces = package(query, uri=uri_of(org.code, query), publisher=org.name, scope=query.org_ids)
    response = StreamingHttpResponse(
        (piece.encode("utf-8") for piece in pieces), content_type="application/json"
    )
    response["Content-Disposition"] = f'attachment; filename="oc4ids-{org.code}-{query.as_of}.json"'
    return response


@router.get("/oc4ids", permission=SEE_FUNDS, response=PackageOut)
def export_oc4ids(request: ApiRequest) -> StreamingHttpResponse:
    """Export the projects of a place as an OC4IDS 0.9.5 project package, piece by piece."""
    return answer(request)
