"""Rules: stating them anew, switching them on and off, taking them out of use."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.scope import everywhere
from yuanmai.devices.engine.rules.conditions import Missing, leaves
from yuanmai.devices.engine.rules.definition import DefinitionError, read
from yuanmai.devices.models import (
    AlarmRule,
    AlarmRuleVersion,
    Device,
    ProductTemplate,
    Severity,
    TemplatePoint,
)
from yuanmai.devices.permissions import KEEP_RULES
from yuanmai.devices.rules.wording import faults_text
from yuanmai.people.models import Organisation
from yuanmai.places.models import Park

CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


def _check(
    act: Act, org_id: int, definition: Mapping[str, Any], template: ProductTemplate | None, park: Park | None,
    device_ids: Sequence[int],
) -> None:  # fmt: skip
    """Raise `ValidationError` with everything that is wrong with what a rule says and what it is applied to."""
    errors: dict[str, list[str]] = {}
    try:
        parsed = read(definition)
    except DefinitionError as error:
        raise ValidationError({"definition": faults_text(error.faults)}) from error
    path = Organisation.objects.get(pk=org_id).path
    devices = list(Device.objects.filter(pk__in=device_ids, retired_at=None).select_related("org"))
    if len(devices) < len(set(device_ids)) or any(not d.org.path.startswith(path) for d in devices):
        errors["devices"] = [_("Some of these devices are not devices of the organisation.")]
    if park is not None and not park.org.path.startswith(path):
        errors["park"] = [_("This park does not belong to the organisation.")]
    if (
        template is not None
        and not path.startswith(template.org.path)
        and not template.org.path.startswith(path)
    ):
        errors["template"] = [_("This template is not one of the organisation's.")]
    wanted = {
        str(point)
        for leaf in leaves(parsed.when)
        if not leaf.device and (point := getattr(leaf, "point", ""))
    }
    if template is not None and wanted:
        with everywhere():
            known = set(TemplatePoint.objects.filter(template=template).values_list("code", flat=True))
        if missing := sorted(wanted - known):
            errors["definition"] = [_("The template has no point %(codes)s.") % {"codes": ", ".join(missing)}]
    if parsed.hold.of and any(isinstance(leaf, Missing) for leaf in leaves(parsed.when)):
        errors["definition"] = [_("Silence already has a duration: it cannot be counted in minutes.")]
    if errors:
        raise ValidationError(errors)


@action("rules.save", permission=KEEP_RULES)
def save_rule(
    act: Act, rule: AlarmRule | None, org_id: int, *, code: str, name: str, definition: Mapping[str, Any], severity: int,
    source: str, name_en: str = "", advice: str = "", template: ProductTemplate | None = None, park: Park | None = None,
    device_ids: Sequence[int] = (), enabled: bool | None = None, preset: str = "",
) -> AlarmRule:  # fmt: skip
    """State a rule (None: a new one). What it says becomes a new version where it differs from the present one.

    Raises `ValidationError` with a message at each field; `Denied` outside the rights.
    """
    act.require(org_id)
    errors: dict[str, list[str]] = {}
    if not CODE.fullmatch(code):
        errors["code"] = [_("A code is small letters, digits, “-” and “_”, at most 60.")]
    elif AlarmRule.objects.filter(org_id=org_id, code=code).exclude(pk=rule.pk if rule else 0).exists():
        errors["code"] = [_("The organisation has a rule of this code already.")]
    if not name.strip():
        errors["name"] = [_("A rule needs a name.")]
    if severity not in Severity.values:
        errors["severity"] = [_("Choose a severity.")]
    if not source.strip():
        errors["source"] = [_("Say where the rule comes from: a standard, a permit, a decision.")]
    if errors:
        raise ValidationError(errors)
    _check(act, org_id, definition, template, park, device_ids)
    before = None
    if rule is None:
        rule = AlarmRule(org_id=org_id, code=code, preset=preset, created_at=act.now)
    else:
        act.require(rule.org_id)
        before = {
            "name": rule.name,
            "enabled": rule.enabled,
            "version": rule.current.number if rule.current else 0,
        }
    rule.code, rule.name, rule.name_en = code, name.strip()[:120], name_en.strip()[:160]
    rule.enabled = rule.enabled if enabled is None else enabled
    rule.save()
    present = rule.current
    said = {
        "definition": dict(definition), "severity": severity, "template_id": template.pk if template else None,
        "park_id": park.pk if park else None, "device_ids": sorted(set(device_ids)), "advice": advice.strip(),
        "source": source.strip()[:300],
    }  # fmt: skip
    if present is None or any(getattr(present, field) != value for field, value in said.items()):
        rule.current = AlarmRuleVersion.objects.create(
            rule=rule, number=(present.number if present else 0) + 1, since=act.now, recorded_by_id=act.actor.user_id, **said
        )  # fmt: skip
        rule.save(update_fields=["current"])
    assert rule.current is not None
    act.log(
        rule, before=before,
        after={"name": rule.name, "enabled": rule.enabled, "version": rule.current.number, "definition": dict(definition)},
    )  # fmt: skip
    return rule


@action("rules.switch", permission=KEEP_RULES)
def switch_rule(act: Act, rule: AlarmRule, *, enabled: bool) -> None:
    """Switch a rule on or off; switched off, its open alarms are cleared."""
    act.require(rule.org_id)
    before = rule.enabled
    AlarmRule.objects.filter(pk=rule.pk).update(enabled=enabled)
    rule.enabled = enabled
    act.log(rule, before={"enabled": before}, after={"enabled": enabled})


@action("rules.retire", permission=KEEP_RULES)
def retire_rule(act: Act, rule: AlarmRule, *, restore: bool = False) -> None:
    """Take a rule out of use, or take that back. Its alarms and versions stay."""
    act.require(rule.org_id)
    rule.retired_at = None if restore else act.now
    rule.save(update_fields=["retired_at"])
    act.log(rule, after={"retired": not restore})
