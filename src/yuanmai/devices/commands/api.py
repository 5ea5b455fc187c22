"""Commands for programs: what a device can be asked, asking, following, taking back."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404
from pydantic import Field

from yuanmai.core.api import ApiRequest, Conflict, Page, Paging, Query, Router, Schema, paginate
from yuanmai.core.api.problems import Faulty, field_faults
from yuanmai.core.workflow import Conflict as StateConflict
from yuanmai.devices.commands import actions
from yuanmai.devices.commands.parameters import Parameter
from yuanmai.devices.commands.queries import commands, devices_to_command, narrowed
from yuanmai.devices.commands.verbs import Verb, offered, settable, verb_of
from yuanmai.devices.models import Command, Device, Protocol
from yuanmai.devices.models.command import CommandState
from yuanmai.devices.permissions import COMMAND_DEVICES, SEE_DEVICES
from yuanmai.protocols.hj212.messages import without_passwords

router = Router(tags=["devices"])


class TraceEntry(Schema):
    """Something that went over the wire."""

    at: datetime
    direction: str = Field(description="out, in, late (an answer after the end), note")
    hex: str = ""
    text: str = ""


class CommandRow(Schema):
    """A command and how far it has come."""

    uid: UUID
    device: int
    device_code: str
    protocol: Protocol
    verb: str
    parameters: dict[str, Any] = Field(description="secret ones are hidden")
    state: CommandState
    attempts: int
    created_at: datetime
    created_by: str | None
    expires_at: datetime = Field(description="not sent later than this")
    sent_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    answer: dict[str, Any] = Field(description="`code` and what was read back")


class CommandOut(CommandRow):
    """A command with what went over the wire."""

    request: str = Field(description="what names the dialogue on the wire")
    gateway: str
    trace: list[TraceEntry]


class CommandFilter(Schema):
    """Which commands."""

    device: int | None = Field(None, ge=1, le=2**62)
    state: CommandState | None = None
    verb: str | None = Field(None, max_length=40)
    protocol: Protocol | None = None


class ParameterOut(Schema):
    """A parameter of a command."""

    name: str
    label: str
    kind: str
    required: bool
    low: float | None = Field(description="lowest number")
    high: float | None = Field(description="highest number, or most bytes of a text")
    choices: list[str | int] = Field(description="one of these where there are any")


class VerbOut(Schema):
    """Something a device can be asked."""

    verb: str
    name: str
    group: str
    repeatable: bool = Field(description="it may be sent again after a broken connection")
    drastic: bool
    parameters: list[ParameterOut]


class CommandIn(Schema):
    """A command to be sent."""

    device: int = Field(ge=1, le=2**62)
    verb: str = Field(max_length=40)
    parameters: dict[str, Any] = Field(default_factory=dict)
    wait_seconds: int = Field(3600, ge=10, le=2_592_000, description="how long it may wait for the device")


ROW = (
    "uid",
    "verb",
    "state",
    "attempts",
    "created_at",
    "expires_at",
    "sent_at",
    "answered_at",
    "ended_at",
    "answer",
)


def _row(row: Command) -> dict[str, Any]:
    verb = verb_of(row.device.protocol, row.verb)
    secret = verb.secrets() if verb is not None else []
    return {
        **{name: getattr(row, name) for name in ROW},
        "device": row.device_id,
        "device_code": row.device.code,
        "protocol": row.device.protocol,
        "created_by": row.created_by.get_username() if row.created_by else None,
        "parameters": {n: actions.HIDDEN if n in secret else v for n, v in row.parameters.items()},
    }


def _out(row: Command) -> CommandOut:
    trace = [TraceEntry(**{**entry, "text": without_passwords(entry.get("text", ""))}) for entry in row.trace]
    return CommandOut(**_row(row), request=row.request, gateway=row.gateway, trace=trace)


def _device(request: ApiRequest, number: int, permission: str) -> Device:
    device = devices_to_command(request.actor.org_ids(permission)).filter(pk=number).first()
    if device is None:
        raise Http404
    return device


def _command(request: ApiRequest, uid: UUID) -> Command:
    row = commands(request.actor.org_ids(SEE_DEVICES)).filter(uid=uid).first()
    if row is None:
        raise Http404
    return row


def _parameter(parameter: Parameter) -> ParameterOut:
    return ParameterOut(
        name=parameter.name, label=str(parameter.label), kind=parameter.kind, required=parameter.required, low=parameter.low,
        high=parameter.high, choices=[value for value, _label in parameter.choices],
    )  # fmt: skip


def _verb(verb: Verb) -> VerbOut:
    return VerbOut(
        verb=verb.code, name=str(verb.name), group=str(verb.group), repeatable=verb.repeatable, drastic=verb.drastic,
        parameters=[_parameter(parameter) for parameter in verb.parameters],
    )  # fmt: skip


@router.get("", permission=SEE_DEVICES, response=Page[CommandRow])
def list_commands(
    request: ApiRequest, filters: Query[CommandFilter], paging: Query[Paging]
) -> Page[CommandRow]:
    """List the commands to devices of the chosen organisation, newest first."""
    mine = request.actor.org_ids(SEE_DEVICES)
    rows = narrowed(
        commands([pk for pk in request.view.org_ids if pk in mine]), filters.model_dump(exclude_none=True)
    )
    return paginate(request, rows, paging, lambda row: CommandRow(**_row(row)))


@router.get("/offered/{int:device}", permission=SEE_DEVICES, response=list[VerbOut])
def list_offered(request: ApiRequest, device: int) -> list[VerbOut]:
    """List what a device can be asked, with parameters."""
    found = _device(request, device, SEE_DEVICES)
    return [_verb(verb) for verb in offered(found, settable(found))]


@router.get("/{uuid:uid}", permission=SEE_DEVICES, response=CommandOut)
def get_command(request: ApiRequest, uid: UUID) -> CommandOut:
    """Show a command with what went over the wire."""
    return _out(_command(request, uid))


@router.post("", permission=COMMAND_DEVICES, response={201: CommandOut})
def send_command(request: ApiRequest, body: CommandIn) -> tuple[int, CommandOut]:
    """Ask for a command. It is sent as soon as the device is connected; follow it by its address."""
    device = _device(request, body.device, COMMAND_DEVICES)
    try:
        row = actions.send_command(
            request.actor, device, body.verb, body.parameters, timedelta(seconds=body.wait_seconds)
        )
    except ValidationError as error:
        places = {"/verb": "/verb", "/wait": "/wait_seconds"}
        found = [
            replace(fault, pointer=places.get(fault.pointer, f"/parameters{fault.pointer}"))
            for fault in field_faults(error)
        ]
        raise Faulty(found) from error
    return 201, _out(_command(request, row.uid))


@router.post("/{uuid:uid}/cancel", permission=COMMAND_DEVICES, response=CommandOut)
def cancel_command(request: ApiRequest, uid: UUID) -> CommandOut:
    """Take back a command that still waits; one that has been sent cannot be."""
    try:
        actions.cancel_command(request.actor, _command(request, uid))
    except StateConflict as error:
        raise Conflict(" ".join(error.messages)) from error
    return _out(_command(request, uid))
