"""The interface keeps its word: the description is valid OpenAPI 3.1, and nothing that is sent breaks or contradicts it.

``YUANMAI_SCHEMATHESIS_EXAMPLES=1000`` tries longer than the few dozen calls per operation of a normal run.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from yuanmai.config.api import api
from yuanmai.core.findings import Finding
from yuanmai.core.jobs.actions import enqueue
from yuanmai.core.jobs.registry import KINDS, JobKind
from yuanmai.core.scope import everywhere
from yuanmai.people.models import ApiToken
from yuanmai.people.tokens import new_token

EXAMPLES = int(os.environ.get("YUANMAI_SCHEMATHESIS_EXAMPLES", "12"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
DOCUMENT = api.description_document
OPERATIONS = [(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods]


def schemas(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema of the document."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "schema":
                yield value
            elif key == "schemas":
                yield from value.values()
            yield from schemas(value)
    elif isinstance(node, list):
        for value in node:
            yield from schemas(value)


def references(node: Any) -> Iterator[str]:
    """Every reference of the document."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_description_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert DOCUMENT["info"]["title"] and DOCUMENT["info"]["version"]
    assert {"paths", "components"} <= set(DOCUMENT)
    for schema in schemas(DOCUMENT):
        # OpenAPI 3.1 schemas are JSON Schema 2020-12.
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
    for reference in references(DOCUMENT):
        node: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[f"{m} {p}" for m, p in OPERATIONS])
def test_every_operation_is_described_whole(method: str, path: str) -> None:
    details = DOCUMENT["paths"][path][method]
    assert details["summary"] and details["description"], "say in the docstring what it does"
    assert details["tags"]
    assert "x-permission" in details
    for status in ("401", "403", "404", "422", "429", "500"):
        assert status in details["responses"]
    answers = [answer for status, answer in details["responses"].items() if int(status) < 300]
    assert answers, "declare what a good answer looks like"
    named = {p["name"] for p in details["parameters"] if p["in"] == "path"}
    assert named == {part.strip("{}") for part in path.split("/") if part.startswith("{")}
    if method == "post":
        assert "Idempotency-Key" in {p["name"] for p in details["parameters"]}


def test_every_operation_has_its_own_name() -> None:
    names = [details["operationId"] for methods in DOCUMENT["paths"].values() for details in methods.values()]
    assert len(names) == len(set(names))


@pytest.fixture
def bearer(orgs, make_user, make_project, monkeypatch) -> str:
    """A token of a project officer who also reads the audit log, in a place where there is something to be seen."""
    user = make_user(
        "project_officer", orgs.city, posts=[("auditor", orgs.city), ("finance_officer", orgs.city)]
    )
    token, prefix, digest = new_token()
    ApiToken.objects.create(
        user=user, name="tests", prefix=prefix, digest=digest, created_at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    for number in range(3):
        make_project(orgs.north, plan=100 * number, done=10, started=True)
    monkeypatch.setitem(KINDS, "test.nothing", JobKind("test.nothing", "Nothing", lambda run: None))
    with everywhere():
        Finding.objects.create(
            org=orgs.north, kind="test.kind", key="k", effective_on=date(2022, 3, 31), found_at=timezone.now()
        )
        from yuanmai.people.actor import UserActor

        enqueue(UserActor.of(user), "test.nothing", "Nothing", {}, orgs.north.pk)
    return token


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[f"{m} {p}" for m, p in OPERATIONS])
def test_nothing_that_is_sent_breaks_it(
    method: str, path: str, mode: GenerationMode, bearer: str, settings: Any
) -> None:
    settings.API_RATE_PER_MINUTE = 0
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    schema.app = _application()
    _try(schema[path][method.upper()], mode, {"Authorization": f"Bearer {bearer}"})


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """Keep the test's connection: called as a server, the program would close it after every request."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@functools.cache
def _application() -> Any:
    return get_wsgi_application()


def _try(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=EXAMPLES < 100,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def call(case: Any) -> None:
        response = case.call(headers=headers)
        case.validate_response(response, checks=CHECKS)

    call()
