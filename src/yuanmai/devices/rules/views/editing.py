"""The form of a rule for a reader: what it offers, what it says, what it begins with."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from yuanmai.core.jobs.models import Job
from yuanmai.core.scope import everywhere
from yuanmai.devices.engine.states import state_word
from yuanmai.devices.models import AlarmRule, Device, Point, ProductTemplate
from yuanmai.devices.permissions import KEEP_RULES
from yuanmai.devices.registry.queries import templates_for
from yuanmai.devices.registry.views.shared import seen_orgs
from yuanmai.devices.registry.wording import english
from yuanmai.devices.rules.editor import RuleForm
from yuanmai.devices.rules.history import TRY
from yuanmai.devices.rules.views.shared import parks_of, writable

MOST = 5_000  # points of devices that are looked at for suggestions


def _points(request: HttpRequest) -> list[tuple[str, str]]:
    rows = Point.objects.filter(device__org_id__in=seen_orgs(request), retired_at=None)
    found: dict[str, str] = {}
    for code, name, unit, states in rows.order_by("code").values_list("code", "name", "unit", "states")[
        :MOST
    ]:
        named = ", ".join(f"{n} = {state_word(states, float(n), english=english())}" for n in states or {})
        found.setdefault(code, f"{name} {unit} {named}".strip())
    return sorted(found.items())


def form_of(
    request: HttpRequest, kind: str, data: Any = None, initial: dict[str, Any] | None = None
) -> RuleForm:
    """Return the form of a kind with what this reader may choose."""
    form = RuleForm(kind, _points(request), data, initial=initial, auto_id="rule_%s")
    form.offer(writable(request), parks_of(request))
    with everywhere():
        # A choice is checked by asking for it: the templates of the organisations above are outside the data scope.
        usable = [row.pk for row in templates_for(seen_orgs(request))]
        rows = ProductTemplate._base_manager.filter(pk__in=usable).order_by("name")
    form.fields["template"].queryset = rows  # type: ignore[attr-defined]
    return form


def devices_of(form: RuleForm) -> list[int]:
    """Return the numbers of the devices whose codes were typed; raises `ValidationError` naming the unknown ones."""
    codes = form.cleaned_data.get("devices", "").replace(",", " ").split()
    if not codes:
        return []
    found = dict(Device.objects.filter(code__in=codes, retired_at=None).values_list("code", "pk"))
    if missing := [code for code in codes if code not in found]:
        raise ValidationError(
            {"devices": [_("Not in the register: %(codes)s") % {"codes": ", ".join(missing[:10])}]}
        )
    return [found[code] for code in codes]


def values_of(form: RuleForm) -> dict[str, Any]:
    """Return what a valid form says, as `save_rule` takes it."""
    values = form.cleaned_data
    return {
        "definition": form.definition_of(), "device_ids": devices_of(form),
        **{n: values[n] for n in ("code", "name", "name_en", "severity", "source", "advice", "template", "park", "enabled")},
    }  # fmt: skip


def free_code(request: HttpRequest, kind: str) -> str:
    """Return a code that no rule of the organisations of the page has: the kind and a number."""
    codes = AlarmRule.objects.filter(org_id__in=seen_orgs(request), code__startswith=f"{kind}-")
    taken = set(codes.values_list("code", flat=True))
    return next(code for n in range(1, len(taken) + 2) if (code := f"{kind}-{n}") not in taken)


def tried_before(request: HttpRequest) -> dict[str, Any]:
    """Return what was tried on history (`tried` of the address is the job), to go on with it."""
    number = request.GET.get("tried", "")
    if not (number.isascii() and number.isdigit() and len(number) < 18):
        return {}
    job = Job.objects.filter(pk=int(number), kind=TRY, org_id__in=request.actor.org_ids(KEEP_RULES)).first()  # type: ignore[attr-defined]
    typed = (job.arguments.get("typed") if job else None) or {}
    return {"enabled": False, "counter": False, **typed} if typed else {}  # a box without a tick is not sent
