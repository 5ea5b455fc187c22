"""The verbs of the register of enterprises."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.common.pinyin import pinyin_of
from yuanmai.core.actions import Act, action
from yuanmai.enterprises import permissions
from yuanmai.enterprises.engine.credit_code import LENGTH, normalised, verify
from yuanmai.enterprises.models import Enterprise
from yuanmai.places.models import Park

FIELDS = (
    "name",
    "credit_code",
    "industry",
    "chain",
    "chain_role",
    "park",
    "address",
    "contact",
    "phone",
    "note",
)


def clean_credit_code(text: str) -> str:
    """Return a credit code as it is kept, "" where none is given; raises `ValidationError` saying what is wrong with it."""
    code = normalised(text)
    if not code:
        return ""
    verdict = verify(code)
    messages = {
        "length": _("A unified social credit code has %(n)s characters, this one has %(detail)s."),
        "letter": _(
            "“%(detail)s” does not occur in a unified social credit code (the letters I, O, S, V, Z are not used)."
        ),
        "region": _("Characters 3 to 8 are the digits of the region, not “%(detail)s”."),
        "check": _(
            "The check character is “%(detail)s”, but “%(expected)s” follows from the others: one of them is mistyped."
        ),
    }
    if verdict.fault:
        values = {"n": LENGTH, "detail": verdict.detail, "expected": verdict.expected}
        raise ValidationError({"credit_code": messages[verdict.fault] % values})
    return code


def _values(org_id: int, given: dict[str, Any], own: int | None = None) -> dict[str, Any]:
    """Check and complete field values; raises `ValidationError` with every fault at its field."""
    faults: dict[str, Any] = {}
    values = {name: given[name] for name in FIELDS if name in given}
    name = " ".join(str(values.get("name", "")).split())
    others = Enterprise.objects.filter(org_id=org_id, retired_at=None)
    if own is not None:
        others = others.exclude(pk=own)
    if not name:
        faults["name"] = _("An enterprise needs a name.")
    elif others.filter(name=name).exists():
        faults["name"] = _("An enterprise of this name is already in the register.")
    try:
        values["credit_code"] = code = clean_credit_code(str(values.get("credit_code", "")))
    except ValidationError as error:
        faults.update(error.message_dict)
    else:
        taken = others.filter(credit_code=code).first() if code else None
        if taken is not None:
            faults["credit_code"] = _("“%(name)s” already has this code.") % {"name": taken.name}
    park = values.get("park")
    if isinstance(park, Park) and park.org_id != org_id and not Park.objects.filter(pk=park.pk).exists():
        faults["park"] = _("This park lies outside your data scope.")
    if faults:
        raise ValidationError(faults)
    return {**values, "name": name, "pinyin": pinyin_of(name)[:200]}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Park) else value for name, value in values.items()}


@action("enterprises.add", permission=permissions.EDIT_ENTERPRISES)
def add_enterprise(act: Act, /, org_id: int, **given: Any) -> Enterprise:
    """Enter an enterprise into the register of an organisation; raises `ValidationError` with the faults by field."""
    act.require(org_id)
    values = _values(org_id, given)
    # A retired namesake comes back instead of blocking the name for ever.
    row = Enterprise.objects.filter(org_id=org_id, name=values["name"]).first() or Enterprise(org_id=org_id)
    for name, value in values.items():
        setattr(row, name, value)
    row.retired_at = None
    row.save()
    act.log(row, after=_plain(values), name=row.name)
    return row


@action("enterprises.revise", permission=permissions.EDIT_ENTERPRISES)
def revise_enterprise(act: Act, /, row: Enterprise, **given: Any) -> Enterprise:
    """Change what is known of an enterprise; fields that are not given stay as they are."""
    act.require(row.org_id)
    before = {name: getattr(row, name) for name in FIELDS}
    values = _values(row.org_id, {**before, **given}, row.pk)
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    changed = [name for name in FIELDS if before[name] != getattr(row, name)]
    act.log(
        row,
        before=_plain({name: before[name] for name in changed}),
        after=_plain({name: getattr(row, name) for name in changed}),
        name=row.name,
    )
    return row


@action("enterprises.retire", permission=permissions.EDIT_ENTERPRISES)
def retire_enterprise(act: Act, row: Enterprise) -> None:
    """Take an enterprise out of the register; what refers to it stays."""
    act.require(row.org_id)
    row.retired_at = act.now
    row.save(update_fields=["retired_at"])
    act.log(row, before={"retired_at": None}, after={"retired_at": act.now}, name=row.name)


@action("enterprises.restore", permission=permissions.EDIT_ENTERPRISES)
def restore_enterprise(act: Act, row: Enterprise) -> None:
    """Bring an enterprise back into the register."""
    act.require(row.org_id)
    before, row.retired_at = row.retired_at, None
    row.save(update_fields=["retired_at"])
    act.log(row, before={"retired_at": before}, after={"retired_at": None}, name=row.name)
