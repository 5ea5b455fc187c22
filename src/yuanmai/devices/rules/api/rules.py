"""Rules for programs: list, read, state anew, try on history."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from pydantic import Field

from yuanmai.core.api import ApiRequest, Page, Paging, Query, Router, Schema, paginate
from yuanmai.core.jobs.actions import enqueue
from yuanmai.devices.engine.rules.definition import DefinitionError, read
from yuanmai.devices.models import AlarmRule
from yuanmai.devices.permissions import KEEP_RULES, SEE_DEVICES
from yuanmai.devices.registry.queries import templates_for
from yuanmai.devices.rules.actions import save_rule, switch_rule
from yuanmai.devices.rules.history import LONGEST, TRY
from yuanmai.devices.rules.queries import rule_of, rules
from yuanmai.devices.rules.wording import faults_text, sentence
from yuanmai.people.models import Organisation
from yuanmai.places.models import Park

router = Router(tags=["alarms"])


class RuleIn(Schema):
    """What a rule says and what it is applied to."""

    name: str = Field(max_length=120)
    name_en: str = Field("", max_length=160)
    definition: dict[str, Any] = Field(description="see docs/alarms.md")
    severity: int = Field(ge=1, le=4, description="4 urgent, 3 important, 2 minor, 1 hint")
    source: str = Field(max_length=300)
    advice: str = Field("", max_length=2000)
    template: str | None = Field(None, max_length=60, description="code of a product template")
    park: int | None = Field(None, ge=1, le=2**62)
    devices: list[int] = Field(default_factory=list, max_length=2000)
    enabled: bool = True


class RuleNew(RuleIn):
    """A new rule."""

    organisation: str = Field(max_length=60, description="code")
    code: str = Field(max_length=60, pattern="^[a-z0-9][a-z0-9_-]*$")


class RuleOut(RuleIn):
    """A rule in its present version."""

    uid: UUID
    code: str
    organisation: str
    version: int
    since: datetime
    sentence: str = Field(description="the rule in plain words")
    open_alarms: int


def _out(rule: Any) -> RuleOut:
    version = rule.current
    try:
        words = sentence(read(version.definition), version.severity)
    except DefinitionError as error:
        words = "; ".join(faults_text(error.faults))
    return RuleOut(
        uid=rule.uid, code=rule.code, organisation=rule.org.code, name=rule.name, name_en=rule.name_en, enabled=rule.enabled,
        definition=version.definition, severity=version.severity, source=version.source, advice=version.advice,
        template=version.template.code if version.template else None, park=version.park_id, devices=version.device_ids,
        version=version.number, since=version.since, sentence=words, open_alarms=getattr(rule, "open_alarms", 0),
    )  # fmt: skip


def _rule(request: ApiRequest, uid: UUID) -> AlarmRule:
    rule = rule_of(uid)
    if rule is None or rule.org_id not in request.actor.org_ids(SEE_DEVICES):
        raise Http404
    return rule


def _values(request: ApiRequest, body: RuleIn) -> dict[str, Any]:
    template = park = None
    errors: dict[str, list[str]] = {}
    if body.template is not None:
        usable = {row.code: row for row in templates_for(list(request.actor.org_ids(SEE_DEVICES)))}
        template = usable.get(body.template)
        if template is None:
            errors["template"] = [_("There is no such template.")]
    if body.park is not None:
        park = Park.objects.select_related("org").filter(pk=body.park).first()
        if park is None:
            errors["park"] = [_("There is no such park.")]
    if errors:
        raise ValidationError(errors)
    plain = body.model_dump(
        include={"name", "name_en", "definition", "severity", "source", "advice", "enabled"}
    )
    return {**plain, "template": template, "park": park, "device_ids": body.devices}


@router.get("", permission=SEE_DEVICES, response=Page[RuleOut])
def list_rules(request: ApiRequest, paging: Query[Paging]) -> Page[RuleOut]:
    """List the rules of the chosen organisation and all below it, by code."""
    seen = request.actor.org_ids(SEE_DEVICES)
    rows = rules(pk for pk in request.view.org_ids if pk in seen).order_by("code", "pk")
    return paginate(request, rows, paging, _out)


@router.get("/{uuid:uid}", permission=SEE_DEVICES, response=RuleOut)
def get_rule(request: ApiRequest, uid: UUID) -> RuleOut:
    """Show a rule."""
    return _out(_rule(request, uid))


@router.post("", permission=KEEP_RULES, response={201: RuleOut})
def create_rule(request: ApiRequest, body: RuleNew) -> tuple[int, RuleOut]:
    """State a new rule. It holds at once."""
    org = Organisation.objects.filter(
        code=body.organisation, pk__in=list(request.actor.org_ids(KEEP_RULES))
    ).first()
    if org is None:
        raise ValidationError({"organisation": [_("There is no such organisation within your rights.")]})
    saved = save_rule(request.actor, None, org.pk, code=body.code, **_values(request, body))
    return 201, _out(_rule(request, saved.uid))


@router.put("/{uuid:uid}", permission=KEEP_RULES, response=RuleOut)
def revise_rule(request: ApiRequest, uid: UUID, body: RuleIn) -> RuleOut:
    """State a rule anew: what it says becomes a new version."""
    rule = _rule(request, uid)
    save_rule(request.actor, rule, rule.org_id, code=rule.code, **_values(request, body))
    return _out(_rule(request, uid))


class SwitchIn(Schema):
    """On or off."""

    enabled: bool


@router.post("/{uuid:uid}/switch", permission=KEEP_RULES, response=RuleOut)
def switch(request: ApiRequest, uid: UUID, body: SwitchIn) -> RuleOut:
    """Switch a rule on or off."""
    rule = _rule(request, uid)
    switch_rule(request.actor, rule, enabled=body.enabled)
    return _out(_rule(request, uid))


class TryIn(Schema):
    """On which days, and with which definition (left out: the present one)."""

    days: int = Field(7, ge=1, le=LONGEST)
    definition: dict[str, Any] | None = None
    severity: int | None = Field(None, ge=1, le=4)


class TryOut(Schema):
    """The job that tries; its result is at /api/v1/jobs/{id}."""

    job: int


@router.post("/{uuid:uid}/try", permission=KEEP_RULES, response={202: TryOut})
def try_rule(request: ApiRequest, uid: UUID, body: TryIn) -> tuple[int, TryOut]:
    """Try a rule on history without raising anything; where a definition is given, the present version runs beside it."""
    rule = _rule(request, uid)
    version, now = rule.current, timezone.now()
    assert version is not None
    definition = body.definition if body.definition is not None else version.definition
    try:
        read(definition)
    except DefinitionError as error:
        raise ValidationError({"definition": faults_text(error.faults)}) from error
    arguments = {
        "rule": str(rule.uid) if body.definition is not None else None, "org": rule.org_id, "name": rule.name,
        "definition": definition, "severity": body.severity or version.severity, "template": version.template_id,
        "park": version.park_id, "devices": version.device_ids, "begin": (now - timedelta(days=body.days)).isoformat(),
        "end": now.isoformat(),
    }  # fmt: skip
    title = _("Trying “%(name)s” on %(n)s days") % {"name": rule.name, "n": body.days}
    return 202, TryOut(job=enqueue(request.actor, TRY, title, arguments, rule.org_id).pk)
