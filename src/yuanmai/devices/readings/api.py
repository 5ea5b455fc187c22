"""Readings for programs: sent in bulk, and read back."""

from datetime import datetime
from typing import Any, Literal

from django.http import StreamingHttpResponse
from pydantic import Field

from yuanmai.core.api import ApiRequest, Query, Router, Schema
from yuanmai.devices.permissions import SEE_DEVICES, SEND_READINGS
from yuanmai.devices.readings import history
from yuanmai.devices.readings.senders import of_actor
from yuanmai.devices.readings.taking import take

router = Router(tags=["devices"])
FILES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
ROW: dict[str, Any] = {
    "type": "object",
    "required": ["device", "point", "time", "value"],
    "additionalProperties": False,
    "properties": {
        "device": {"type": "string", "minLength": 1, "maxLength": 200, "description": "code of the device"},
        "point": {"type": "string", "minLength": 1, "maxLength": 200, "description": "code of the point"},
        "time": {
            "anyOf": [{"type": "string", "format": "date-time"}, {"type": "number"}],
            "description": "ISO 8601 with zone, or a number since 1970 (s, ms, µs or ns, told by its size)",
        },
        "value": {"anyOf": [{"type": "number"}, {"type": "null"}], "description": "in the unit of the point"},
        "quality": {
            "type": "integer",
            "minimum": 0,
            "maximum": 255,
            "description": "0 is good; bits as in the manual",
        },
    },
}
TEXT: dict[str, Any] = {"schema": {"type": "string"}}
BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


def _later(status: str) -> dict[str, Any]:
    return {
        "description": status,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


SENDING: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "Packed with gzip (`Content-Encoding: gzip`) or not; at most 32 MB and 500,000 readings.",
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        {"type": "array", "items": ROW},
                        {"type": "object", "description": "a list for each column"},
                    ]
                }
            },
            "text/csv": TEXT,
            "text/plain": TEXT,
            "application/vnd.apache.arrow.stream": BINARY,
        },
    },
    "responses": {
        503: _later("Readings wait: send the batch again later"),
        507: _later("The disk is full: send the batch again later"),
    },
}


class Taken(Schema):
    """What was taken, durably."""

    accepted: int = Field(description="readings")
    points: int = Field(description="points they belong to")


class HistoryRow(Schema):
    """A reading, or (by hours and days) what its point did in that time; times are the begins."""

    device: str
    point: str
    time: datetime
    value: float | None = None
    quality: int | None = None
    mean: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    first: float | None = None
    last: float | None = None
    increase: float | None = Field(None, description="of a count since the last one of the time before")
    n: int | None = Field(None, description="readings that count")
    excluded: int | None = Field(
        None, description="readings that do not: flagged, out of range, with a wrong clock"
    )


class History(Schema):
    """A page of the history, in the order of time."""

    rows: list[HistoryRow]
    next: datetime | None = Field(description="`begin` of the next page, null at the end")


class HistoryQuery(Schema):
    """Whose history, from when to when."""

    device: str = Field(min_length=1, max_length=60, description="code of the device")
    point: str | None = Field(
        None, max_length=4000, description="codes of points, with commas between; all without"
    )
    begin: datetime = Field(description="with its zone")
    end: datetime = Field(description="with its zone; not included itself")
    step: Literal["raw", "hour", "day"] = "raw"
    format: Literal["json", "csv", "parquet"] = "json"
    limit: int = Field(2000, ge=1, le=20_000, description="rows of a page of JSON; files hold everything")


@router.post("", permission=SEND_READINGS, response=Taken, openapi_extra=SENDING)
def send_readings(request: ApiRequest) -> Any:
    """Take a batch of readings whole, or refuse it whole with every fault in it.

    JSON as a list of readings or an object with a list for each column, CSV with a head, InfluxDB line protocol (the tag
    `device` or the measurement names the device), or an Arrow stream with the same columns. When the answer says so, the
    readings are durable; a few seconds later they stand in the history. A reading is known by its point and time: of two the
    later one counts, so sending a batch again does no harm. A device may send for itself with its own key as the token.
    """
    encoding = request.headers.get("Content-Encoding", "")
    return take(
        request.body, request.headers.get("Content-Type", ""), encoding, of_actor(request.actor)
    ).plain()


@router.get(
    "",
    permission=SEE_DEVICES,
    response=History,
    openapi_extra={
        "responses": {200: {"content": {"text/csv": TEXT, "application/vnd.apache.parquet": BINARY}}}
    },
)
def list_readings(request: ApiRequest, asked: Query[HistoryQuery]) -> Any:
    """Return what a device has measured: raw, or by hours or days with mean, extremes and increase.

    JSON comes in pages (ask for the next one with `begin` = `next`), CSV and Parquet as one file. Raw readings of up to 93
    days at once; hours of three years; days of thirty.
    """
    found = history.question(
        list(request.view.org_ids), asked.device, asked.point, asked.begin, asked.end, asked.step
    )
    if asked.format == "json":
        rows, following = history.page(found, asked.limit)
        return {"rows": rows, "next": following}
    from yuanmai.devices.store import export

    stream = export.stream(asked.format, history.named(found, history.tables(found)), found.schema)
    name = f"{asked.device}-{asked.step}.{asked.format}"
    response = StreamingHttpResponse(stream, content_type=FILES[asked.format])
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
