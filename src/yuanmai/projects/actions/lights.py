"""Deciding the bounds of the lights."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.projects import permissions
from yuanmai.projects.models import LightRule
from yuanmai.projects.queries.lights import FIELDS


@action("projects.set_light_rule", permission=permissions.DISPATCH_PROJECTS)
def set_light_rule(act: Act, org_id: int, effective_on: date, values: Mapping[str, Any]) -> LightRule:
    """Decide the bounds for an organisation and all below it from a day on; `values` are the fields of the rule."""
    act.require(org_id)
    if values["red_above"] < values["yellow_from"]:
        raise ValidationError({"red_above": [_("Red must not begin before yellow.")]})
    if values["red_above"] > 1000:
        raise ValidationError({"red_above": [_("At most 1000 ‰.")]})
    if not str(values.get("source") or "").strip():
        raise ValidationError({"source": [_("State the document that decides it.")]})
    rule = LightRule.objects.create(
        org_id=org_id,
        effective_on=effective_on,
        name=values["name"],
        source=values["source"],
        recorded_at=act.now,
        **{name: values[name] for name in FIELDS},
    )
    after = {
        **{name: values[name] for name in FIELDS},
        "effective_on": effective_on,
        "source": values["source"],
    }
    act.log(rule, after=after, name=rule.name)
    return rule


@action("projects.retract_light_rule", permission=permissions.DISPATCH_PROJECTS)
def retract_light_rule(act: Act, rule: LightRule) -> None:
    """Take a rule back; the one before it, or the default, holds again."""
    act.require(rule.org_id)
    changed = LightRule.objects.filter(pk=rule.pk, retracted_at=None).update(retracted_at=act.now)
    if not changed:
        raise ValidationError(_("This rule has already been taken back."))
    act.log(rule, before={"name": rule.name, "effective_on": rule.effective_on}, name=rule.name)
