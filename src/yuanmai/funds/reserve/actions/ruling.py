"""Deciding the rules of special bonds for an organisation and all below it."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action, touch
from yuanmai.funds.models import BondRule
from yuanmai.funds.permissions import SET_RULES
from yuanmai.funds.reserve.rules import LEVELS, NUMBERS, SHARES, Parameter, parameters, rules_for

GREATEST = {"share": Decimal(1), "ratio": Decimal(100), "points": Decimal(100)}
LONGEST = 1200


@action("funds.set_rule", permission=SET_RULES)
def set_rule(act: Act, org_id: int, code: str, effective_on: date, value: Any, source: str) -> BondRule:
    """Decide a parameter from a day on; `value` as in the preset (shares as decimals, terms as years, tables by code).

    Raises `ValidationError` by field: unknown parameter, value that its kind does not allow, no source, nothing changed.
    """
    act.require(org_id)
    parameter = parameters().get(code)
    if parameter is None:
        raise ValidationError({"code": [_("There is no such parameter.")]})
    source = source.strip()
    if not source:
        raise ValidationError({"source": [_("State the document that decides it.")]})
    stored = stored_value(parameter, value)
    held = rules_for(org_id, effective_on).held.get(code)
    if held is not None and held.org_id == org_id and held.value == stored:
        raise ValidationError({"value": [_("This value holds already.")]})
    row = BondRule.objects.create(
        org_id=org_id,
        code=code,
        value=stored,
        effective_on=effective_on,
        source=source[:300],
        recorded_at=act.now,
        recorded_by_id=act.actor.user_id,
    )
    touch("funds")
    before = {"value": held.value, "source": held.source} if held else None
    act.log(
        row,
        before=before,
        after={"value": stored, "effective_on": effective_on, "source": source},
        name=parameter.label,
    )
    return row


def stored_value(parameter: Parameter, value: Any) -> Any:
    """Return a value as it is stored; raises `ValidationError` (field ``value``) for one that the kind does not allow."""
    try:
        return _stored(parameter, value)
    except (InvalidOperation, ValueError, TypeError, AttributeError):
        raise ValidationError({"value": [_("This is not a value that this parameter can have.")]}) from None


def _stored(parameter: Parameter, value: Any) -> Any:
    kind = parameter.kind
    if kind in SHARES:
        return _number(value, GREATEST[kind])
    if kind in NUMBERS:
        return _whole(value)
    if kind == "level":
        if value not in LEVELS:
            raise ValueError(value)
        return value
    if kind == "terms":
        terms = sorted({_whole(term) for term in value})
        if not terms or terms[0] < 1:
            raise ValueError(value)
        return terms
    if not value or not isinstance(value, Mapping):
        raise ValueError(value)
    if kind == "shares":
        return {str(code): _number(number, Decimal(1)) for code, number in value.items()}
    if kind == "weights":
        return {str(code): _number(number, Decimal(1000)) for code, number in value.items()}
    return {str(code): dict(entry or {}) for code, entry in value.items()}


def _number(value: Any, greatest: Decimal) -> str:
    number = Decimal(str(value))
    if not number.is_finite() or not 0 <= number <= greatest:
        raise ValueError(value)
    return f"{number.normalize():f}"


def _whole(value: Any) -> int:
    number = int(value)
    if Decimal(str(value)) != number or not 0 <= number <= LONGEST:
        raise ValueError(value)
    return number


@action("funds.retract_rule", permission=SET_RULES)
def retract_rule(act: Act, rule: BondRule) -> None:
    """Take a rule back; the one before it, that of an organisation above, or the default holds again."""
    act.require(rule.org_id)
    if not BondRule.objects.filter(pk=rule.pk, retracted_at=None).update(retracted_at=act.now):
        raise ValidationError(_("This rule has already been taken back."))
    touch("funds")
    parameter = parameters().get(rule.code)
    act.log(
        rule,
        before={"value": rule.value, "effective_on": rule.effective_on, "source": rule.source},
        name=parameter.label if parameter else rule.code,
    )
