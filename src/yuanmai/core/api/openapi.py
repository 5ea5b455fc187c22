"""The API object, and its description in OpenAPI 3.1 with every refusal it can give."""

import functools
import re
from collections.abc import Iterator
from typing import Any

from django.http import Http404
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi import schema as openapi_schema
from ninja.openapi.schema import OpenAPISchema
from ninja.schema import NinjaGenerateJsonSchema
from pydantic.json_schema import CoreRef

from yuanmai import __version__
from yuanmai.core.api import problems
from yuanmai.core.api.router import ROUTES, Route

DESCRIPTION = """The ledger of a park: places, enterprises, projects, funds and the figures computed from them.

**Signing in.** `Authorization: Bearer TOKEN` (tokens are made on the page of your account), or the session of a signed-in
browser; then changes need the `X-CSRFToken` header.

**Scope and time.** You see the rows of your data scope. Every address understands `org` (code of an organisation; everything
below it is included), `as_of` (the day asked for) and `known_at` (by the knowledge of that moment).

**Units.** Money in yuan, rates as fractions, areas in square metres, times with their offset.

**Refusals** are problem documents (RFC 9457) with every fault at once, in Chinese or English by `Accept-Language`.

**Repeating.** A POST with an `Idempotency-Key` is done once in 24 hours; the same answer comes again.
"""

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "what kind of problem, a URN"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "path of the request"},
        "request_id": {"type": "string", "description": "finds the line in the server's log"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["message", "rule"],
                "properties": {
                    "message": {"type": "string"},
                    "rule": {"type": "string"},
                    "pointer": {"type": "string", "description": "JSON pointer into the body"},
                    "parameter": {"type": "string", "description": "name of the parameter"},
                },
            },
        },
    },
}
REFUSALS = {
    400: "The request cannot be read",
    401: "Nobody is signed in, or the token is not valid",
    403: "A right is missing; `detail` names it",
    404: "Nothing here, or nothing that you may see",
    405: "This method is not offered here",
    409: "Conflict with the present state",
    413: "Too large",
    415: "This type of content is not accepted",
    422: "The content has faults; all of them are listed",
    429: "Too many requests",
    500: "Our mistake; `request_id` finds it in the log",
}
FRAME_PARAMETERS: list[dict[str, Any]] = [
    {
        "name": "org",
        "in": "query",
        "required": False,
        "schema": {"type": "string", "maxLength": 60},
        "description": "Code of an organisation; everything below it is included.",
    },
    {
        "name": "as_of",
        "in": "query",
        "required": False,
        "schema": {"type": "string", "format": "date"},
        "description": "The day asked for (1990 to 2100); default: today, or the place's own day.",
    },
    {
        "name": "known_at",
        "in": "query",
        "required": False,
        "schema": {"type": "string", "format": "date-time"},
        "description": "By the knowledge of that moment.",
    },
]
IDEMPOTENCY_PARAMETER: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 120, "pattern": "^[!-~]+$"},
    "description": "The same key and request within 24 hours is done once; the answer comes again.",
}


def _refusals(route: Route, details: dict[str, Any]) -> list[int]:
    statuses = [400, 401, 403, 404, 422, 429, 500]
    if "requestBody" in details:
        statuses += [413, 415]
    if route.writes:
        statuses.append(409)
    return sorted(statuses)


class _Names(NinjaGenerateJsonSchema):
    """Gives a nested class the name of its outer class, too: ``Job.State`` is ``JobState``, not one ``State`` of many."""

    def get_defs_ref(self, core_mode_ref: Any) -> Any:
        """Return the name of a schema."""
        reference, mode = core_mode_ref
        joined = re.sub(r"\.([A-Z]\w*)\.(?=[A-Z])", r".\1", reference)
        return super().get_defs_ref((CoreRef(joined), mode))


class _Description(OpenAPISchema):
    """Gives a second name to what is read and written in different forms, instead of letting one stand for both."""

    def __init__(self, api: NinjaAPI, path_prefix: str) -> None:
        self.suffix = "Input"
        self.renamed: dict[str, str] = {}
        super().__init__(api, path_prefix)

    def responses(self, operation: Any) -> Any:
        """Return the answers of an operation."""
        return self._distinct("Output", super().responses, operation)

    def request_body(self, operation: Any) -> Any:
        """Return the body of an operation."""
        return self._distinct("Input", super().request_body, operation)

    def _distinct(self, suffix: str, make: Any, operation: Any) -> Any:
        self.suffix, self.renamed = suffix, {}
        made = make(operation)
        return _with_names(made, self.renamed) if self.renamed else made

    def add_schema_definitions(self, definitions: dict[str, Any]) -> None:
        """Add named schemas; raises `ValueError` where a name is taken by something else again."""
        taken = {n for n, d in definitions.items() if self.schemas.get(n, d) != d}
        # What contains a renamed schema is another schema, too.
        while more := {n for n, d in definitions.items() if n not in taken and taken & set(_names_in(d))}:
            taken |= more
        self.renamed.update({name: name + self.suffix for name in taken})
        for name, definition in definitions.items():
            new, described = self.renamed.get(name, name), _with_names(definition, self.renamed)
            if self.schemas.setdefault(new, described) != described:
                raise ValueError(f"two different schemas of the API are called {new}")


REFERENCE = "#/components/schemas/"


def _with_names(node: Any, renamed: dict[str, str]) -> Any:
    """Return a document with its references renamed."""
    if isinstance(node, dict):
        return {
            key: REFERENCE + renamed.get(value.removeprefix(REFERENCE), value.removeprefix(REFERENCE))
            if key == "$ref"
            else _with_names(value, renamed)
            for key, value in node.items()
        }
    return [_with_names(value, renamed) for value in node] if isinstance(node, list) else node


def _names_in(node: Any) -> Iterator[str]:
    """Yield the names of the schemas that a document refers to."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value.removeprefix(REFERENCE)
            else:
                yield from _names_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from _names_in(value)


# The framework offers no other place to choose how schemas are named.
openapi_schema.NinjaGenerateJsonSchema = _Names  # type: ignore[attr-defined]


class YuanmaiAPI(NinjaAPI):
    """The API object: our description, our refusals."""

    def get_openapi_operation_id(self, operation: Any) -> str:
        """Return ``room_function``: short, stable and unique."""
        parts = operation.view_func.__module__.split(".")
        return f"{parts[1]}_{operation.view_func.__name__}"

    @functools.cached_property
    def description_document(self) -> dict[str, Any]:
        """The OpenAPI document; the same for everybody, so it is made once."""
        document: dict[str, Any] = _Description(self, "/api/v1/")
        routes = self._routes()
        for path, methods in document["paths"].items():
            for method, details in methods.items():
                _complete(routes[method.upper(), path], details)
        components = document["components"]
        components["schemas"] = dict(sorted({**components["schemas"], "Problem": PROBLEM_SCHEMA}.items()))
        components["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
        }
        components["responses"] = {
            f"Refused{status}": {
                "description": text,
                "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
            for status, text in REFUSALS.items()
        }
        components["responses"]["Refused401"]["headers"] = {
            "WWW-Authenticate": {"schema": {"type": "string"}, "required": True}
        }
        components["responses"]["Refused429"]["headers"] = {
            "Retry-After": {"schema": {"type": "integer"}, "required": True}
        }
        return document

    def _routes(self) -> dict[tuple[str, str], Route]:
        return {(route.method, path): route for path, route in self.mounted()}

    def mounted(self) -> list[tuple[str, Route]]:
        """Return the full path (with ``{parameters}``) and declaration of every operation, in order."""
        found = []
        for bound in self._get_bound_routers():
            for path, view in bound.path_operations.items():
                full = "/api/v1/" + "/".join(part for part in (bound.prefix, path) if part)
                full = re.sub(r"{[^}:]+:", "{", re.sub("/+", "/", full))
                for operation in view.operations:
                    function = operation.view_func
                    route = ROUTES[f"{function.__module__}.{function.__qualname__}"]
                    found.append((full, route))
        return found


def _complete(route: Route, details: dict[str, Any]) -> None:
    details["x-permission"] = route.permission or None
    details["security"] = [{"token": []}, {"session": []}]
    named = {parameter["name"] for parameter in details["parameters"]}
    details["parameters"] = [
        *details["parameters"],
        *(parameter for parameter in FRAME_PARAMETERS if parameter["name"] not in named),
        *([IDEMPOTENCY_PARAMETER] if route.method == "POST" else []),
    ]
    for status in _refusals(route, details):
        details["responses"].setdefault(status, {"$ref": f"#/components/responses/Refused{status}"})
    details["responses"] = {
        str(status): answer
        for status, answer in sorted(details["responses"].items(), key=lambda p: int(p[0]))
    }


def make_api() -> YuanmaiAPI:
    """Return the API object; the caller mounts the rooms' routers."""
    api = YuanmaiAPI(
        title="Yuanmai",
        version=__version__,
        description=DESCRIPTION,
        urls_namespace="api",
        openapi_url=None,
        docs_url=None,
        servers=[{"url": "/"}],
    )
    api.add_exception_handler(Exception, problems.answer)  # type: ignore[arg-type]
    # The framework's own handlers for these come before the one for Exception.
    for kind in (Http404, HttpError, ValidationError):
        api.add_exception_handler(kind, problems.answer)  # type: ignore[arg-type]
    return api
