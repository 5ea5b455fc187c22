"""Devices, tokens, and the quick way in as a function."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from django.core.wsgi import get_wsgi_application
from django.utils import timezone

from tests.conftest import Orgs
from tests.gateway.ingest.kit import digest, touch
from yuanmai.core.scope import everywhere
from yuanmai.devices.models import Device, Point, ProductTemplate
from yuanmai.devices.readings import journaling, places, senders
from yuanmai.devices.readings.shortcut import with_shortcut
from yuanmai.devices.store.journal import Reader, journals
from yuanmai.devices.store.records import Kind
from yuanmai.people.models import ApiToken, User
from yuanmai.people.tokens import new_token


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, settings: Any) -> Iterator[None]:
    """A journal of the test's own, and nothing remembered of other tests."""
    settings.JOURNAL_ROOT = tmp_path / "journal"
    settings.LAKE = str(tmp_path / "lake")
    places.PLACES.__init__()  # type: ignore[misc]
    senders.KNOWN.forget()
    journaling.OWN.close()
    yield
    journaling.OWN.close()


@pytest.fixture
def make_device(orgs: Orgs) -> Callable[..., Device]:
    """``make_device("w1", ["temp"])``: a device that sends over HTTP."""

    def make(
        code: str, points: list[str], org: Any = None, protocol: str = "http", secret: str = ""
    ) -> Device:
        org = org or orgs.north
        with everywhere():
            template, _new = ProductTemplate.objects.get_or_create(
                org=org, code=f"t-{protocol}", defaults={"name": protocol, "protocol": protocol}
            )
            device = Device.objects.create(
                org=org, code=code, name=code, template=template, protocol=protocol, key=f"{org.code}/{code}",
                secret_hash=digest(secret) if secret else "",
            )  # fmt: skip
            for number, point in enumerate(points):
                Point.objects.create(
                    device=device, code=point, name=point, address=f"a.{point}", order=number
                )
        touch()
        return device

    return make


@pytest.fixture
def make_token() -> Callable[..., str]:
    """``make_token(user)``: a token that carries all rights of a user, or the named ones."""

    def make(user: User, *permissions: str) -> str:
        token, prefix, digest_ = new_token()
        ApiToken.objects.create(
            user=user, name="t", prefix=prefix, digest=digest_, created_at=timezone.now(),
            permissions=list(permissions),
        )  # fmt: skip
        return token

    return make


@pytest.fixture
def bearer(make_user: Callable[..., User], make_token: Callable[..., str], orgs: Orgs) -> str:
    """A token of an operator of the north park."""
    return make_token(make_user("operator", orgs.north))


@dataclass
class Answer:
    """What the quick way in answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    @property
    def faults(self) -> set[tuple[int, str, str]]:
        """Row, column and rule of each fault."""
        return {(one.get("row", 0), one.get("column", ""), one["rule"]) for one in self.json["errors"]}


@pytest.fixture
def send(bearer: str) -> Callable[..., Answer]:
    """``send(body, "text/csv")``: through the quick way in."""
    application = with_shortcut(get_wsgi_application())

    def call(body: Any, kind: str = "application/json", token: str | None = None, **headers: str) -> Answer:
        if not isinstance(body, bytes):
            body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        environ = {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/api/v1/readings", "QUERY_STRING": "", "CONTENT_TYPE": kind,
            "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), "REMOTE_ADDR": "10.0.0.9",
            "HTTP_AUTHORIZATION": f"Bearer {bearer if token is None else token}", "SERVER_NAME": "testserver",
            "SERVER_PORT": "80", "wsgi.url_scheme": "http", "HTTP_ACCEPT_LANGUAGE": "en", "wsgi.errors": io.StringIO(),
            **headers,
        }  # fmt: skip
        told: list[Any] = []
        parts = application(environ, lambda status, more: told.append((status, more)))
        status, more = told[0]
        return Answer(int(status.split()[0]), dict(more), b"".join(parts))

    return call


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[], list[tuple[int, int, float | None, int]]]:
    """What stands in the journals, as (point, time, value, quality)."""

    def read() -> list[tuple[int, int, float | None, int]]:
        rows: list[tuple[int, int, float | None, int]] = []
        for folder in journals(tmp_path / "journal"):
            for record in Reader(folder).read(0):
                assert record.kind == Kind.READINGS
                table = pa.ipc.open_stream(record.payload).read_all()
                time = np.asarray(table["time"].cast(pa.int64())).tolist()
                columns = (
                    table["point"].to_pylist(),
                    time,
                    [None if one != one else one for one in table["value"].to_pylist()],
                    table["quality"].to_pylist(),
                )
                rows += list(zip(*columns, strict=True))
        return rows

    return read
