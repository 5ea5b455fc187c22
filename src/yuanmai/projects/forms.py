"""The forms of the projects room. Amounts are entered in 10,000 yuan (万元) and cleaned to yuan."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.common.money import CENT, WAN
from yuanmai.core.workflow import Transition
from yuanmai.enterprises.models import Enterprise
from yuanmai.places.models import Park
from yuanmai.projects.actions import NeedsConfirmation
from yuanmai.projects.models import Blocker, Kind, LightRule, Project, ProjectState, Stage

R = TypeVar("R")
UNSTATED = [("", gettext_lazy("Not stated")), ("yes", gettext_lazy("Yes")), ("no", gettext_lazy("No"))]


def plain_number(text: str) -> str:
    """Return a number as typed without thousands separators; full-width digits become usual ones."""
    return unicodedata.normalize("NFKC", text).replace(",", "").replace("，", "").replace(" ", "").strip()


class NumberField(forms.DecimalField):
    """A number that may be typed with full-width digits and thousands separators."""

    widget = forms.TextInput

    def to_python(self, value: Any) -> Any:
        """Clean what was typed; raises `ValidationError`."""
        return super().to_python(plain_number(value) if isinstance(value, str) else value)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Phones show the number pad."""
        return {**super().widget_attrs(widget), "inputmode": "decimal", "autocomplete": "off"}


class WanField(NumberField):
    """An amount typed in 万元, cleaned to yuan exact to the cent."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_digits", 16)
        options.setdefault("decimal_places", 6)
        super().__init__(**options)

    def clean(self, value: Any) -> Decimal | None:
        """Return yuan; raises `ValidationError` for fractions of a cent."""
        amount = super().clean(value)
        if amount is None:
            return None
        yuan = amount * WAN
        if yuan != yuan.quantize(CENT):
            raise ValidationError(_("Finer than a cent. Is the unit right?"))
        return yuan.quantize(CENT)

    def prepare_value(self, value: Any) -> Any:
        """Show yuan as 万元 without needless zeros."""
        return wan_text(value) if isinstance(value, Decimal) else value


def wan_text(value: Decimal | None) -> str:
    """Return yuan as 万元 for an input: exact, without thousands separators."""
    if value is None:
        return ""
    text = f"{value / WAN:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class DayInput(forms.DateInput):
    """The browser's own date picker."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class YesNoField(forms.TypedChoiceField):
    """Yes, no, or not stated."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            choices=UNSTATED, required=False, coerce=lambda v: v == "yes", empty_value=None, **options
        )

    def prepare_value(self, value: Any) -> Any:
        """Show a truth value as its choice."""
        return {True: "yes", False: "no", None: ""}.get(value, value)


class ConfirmingForm(forms.Form):
    """A form whose warnings have to be confirmed: the page shows them with a tick box, the second save goes through."""

    warnings: Mapping[str, list[str]] = {}

    def carry_out(self, call: Callable[[bool], R]) -> R | None:
        """Run an action with what was entered; refusals become messages at the fields, and None is returned."""
        try:
            return call(bool(self.data.get("confirmed")))
        except NeedsConfirmation as doubt:
            self.warnings = doubt.message_dict
        except ValidationError as error:
            attach(self, error)
        return None

    def warning_lines(self) -> list[tuple[str, str]]:
        """Return (label of the field, sentence) for every warning."""
        return [
            (str(self.fields[name].label) if name in self.fields else "", text)
            for name, texts in self.warnings.items()
            for text in texts
        ]


def attach(form: forms.Form, error: ValidationError) -> None:
    """Show an action's refusal at the fields it names, and at the top what belongs to no field."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, errors in error.error_dict.items():
        form.add_error(name if name in form.fields else None, errors)


class ProjectForm(ConfirmingForm):
    """The attributes of a project, complete, from a day on."""

    name = forms.CharField(max_length=200, label=gettext_lazy("Name"))
    code = forms.CharField(max_length=80, required=False, label=gettext_lazy("Project code"))
    org = forms.TypedChoiceField(coerce=int, label=gettext_lazy("Organisation"))
    parent = forms.ModelChoiceField(
        Project.objects.none(), required=False, label=gettext_lazy("Main project"), to_field_name="uid"
    )
    category = forms.CharField(max_length=60, required=False, label=gettext_lazy("Category"))
    stage = forms.ChoiceField(required=False, label=gettext_lazy("Stage"))
    responsible = forms.CharField(
        max_length=120, required=False, label=gettext_lazy("Responsible organisation")
    )
    leader = forms.CharField(max_length=80, required=False, label=gettext_lazy("Leader in charge"))
    owner = forms.CharField(max_length=160, required=False, label=gettext_lazy("Owner enterprise"))
    park = forms.ModelChoiceField(Park.objects.none(), required=False, label=gettext_lazy("Park"))
    total_investment = WanField(required=False, label=gettext_lazy("Total investment (10,000 yuan)"))
    in_statistics = YesNoField(label=gettext_lazy("In statistics"))
    start_on = forms.DateField(required=False, widget=DayInput, label=gettext_lazy("Start"))
    finish_on = forms.DateField(required=False, widget=DayInput, label=gettext_lazy("Completion"))
    address = forms.CharField(max_length=200, required=False, label=gettext_lazy("Address"))
    content = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 3}), label=gettext_lazy("Content and scale")
    )
    effective_on = forms.DateField(widget=DayInput, label=gettext_lazy("Valid from"))

    def __init__(
        self, *args: Any, orgs: Iterable[tuple[int, str]], fixed_org: int | None = None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.fields["stage"].choices = [("", _("By kind and reports")), *Stage.choices]  # type: ignore[attr-defined]
        self.fields["org"].choices = list(orgs)  # type: ignore[attr-defined]
        for name in ("category", "responsible", "leader"):
            self.fields[name].widget.attrs["list"] = f"offered-{name}"
        if fixed_org is not None:
            del self.fields["org"]
        self.fields["park"].queryset = Park.objects.order_by("name")  # type: ignore[attr-defined]
        self.fields["parent"].queryset = Project.objects.all()  # type: ignore[attr-defined]
        self.fields["parent"].widget = forms.HiddenInput()

    def clean_owner(self) -> str:
        """Return the owner's name without blanks around it."""
        return str(self.cleaned_data["owner"]).strip()

    def version(self, org_id: int, state: ProjectState | None = None) -> dict[str, Any]:
        """Return the attributes as an action takes them; the site and foreign columns stay as they were."""
        values = {
            name: self.cleaned_data[name]
            for name in (
                "name", "code", "parent", "category", "stage", "responsible", "leader", "park", "total_investment",
                "in_statistics", "start_on", "finish_on", "address", "content",
            )
        }  # fmt: skip
        values["owner"] = owner_named(self.cleaned_data["owner"], org_id)
        if state is not None:
            values.update(site=state.version.site, extra=state.version.extra)
        return values


def owner_named(name: str, org_id: int) -> Enterprise | None:
    """Return the enterprise of this name that the register knows; raises `ValidationError` for an unknown one."""
    if not name:
        return None
    found = Enterprise.objects.filter(org_id=org_id, name=name, retired_at=None).first()
    found = found or Enterprise.objects.filter(name=name, retired_at=None).first()
    if found is None:
        raise ValidationError(
            {
                "owner": [
                    _("The register does not know “%(name)s”. Add the enterprise first.") % {"name": name}
                ]
            }
        )
    return found


class PlanForm(ConfirmingForm):
    """The plan of a year with its split by month."""

    year = forms.IntegerField(min_value=1990, max_value=2100, label=gettext_lazy("Year"))
    kind = forms.ChoiceField(required=False, label=gettext_lazy("Project kind"))
    planned_investment = WanField(
        required=False, label=gettext_lazy("Planned investment of the year (10,000 yuan)")
    )
    effective_on = forms.DateField(widget=DayInput, label=gettext_lazy("Valid from"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["kind"].choices = [("", _("Not stated")), *Kind.choices]  # type: ignore[attr-defined]
        for month in range(1, 13):
            self.fields[f"month_{month}"] = WanField(required=False, label=_("Month %(n)s") % {"n": month})

    def months(self) -> list[Any]:
        """Return the fields of the months."""
        return [self[f"month_{month}"] for month in range(1, 13)]

    def plan(self) -> dict[str, Any]:
        """Return the plan as an action takes it."""
        months = [self.cleaned_data.get(f"month_{month}") for month in range(1, 13)]
        return {
            "year": self.cleaned_data["year"],
            "kind": self.cleaned_data["kind"],
            "planned_investment": self.cleaned_data["planned_investment"],
            "monthly": months if any(month is not None for month in months) else None,
        }


class ReportForm(ConfirmingForm):
    """One project's progress report; an empty field says nothing, and the value before it stands."""

    investment_done = WanField(required=False, label=gettext_lazy("Done this year (10,000 yuan)"))
    done_total = WanField(required=False, label=gettext_lazy("Done since the start (10,000 yuan)"))
    visible_percent = NumberField(
        required=False, max_digits=5, decimal_places=2, label=gettext_lazy("Visible progress (%)")
    )
    visible_progress = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 3}), label=gettext_lazy("Visible progress")
    )
    started = YesNoField(label=gettext_lazy("Started"))
    resumed = YesNoField(label=gettext_lazy("Resumed"))
    completed = YesNoField(label=gettext_lazy("Completed"))
    problems = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 2}), label=gettext_lazy("Problems")
    )

    def clean(self) -> dict[str, Any]:
        """Refuse a report that says nothing."""
        values = super().clean() or {}
        if not self.errors and not any(value not in (None, "") for value in values.values()):
            raise ValidationError(_("The report says nothing yet: fill in at least one field."))
        return values

    def report(self) -> dict[str, Any]:
        """Return the report as an action takes it."""
        return dict(self.cleaned_data)


class ListForm(ConfirmingForm):
    """Onto a list, from a day on."""

    list_code = forms.CharField(max_length=60, label=gettext_lazy("List"))
    effective_on = forms.DateField(widget=DayInput, label=gettext_lazy("Valid from"))


class ReasonForm(ConfirmingForm):
    """A reason that stays in the history."""

    reason = forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 3}), label=gettext_lazy("Reason")
    )


class BlockerForm(ConfirmingForm):
    """What stops a project."""

    title = forms.CharField(max_length=200, label=gettext_lazy("What stops it"))
    kind = forms.ChoiceField(choices=Blocker.Kind.choices, label=gettext_lazy("Kind"))
    way = forms.ChoiceField(
        required=False,
        choices=[("", gettext_lazy("Not stated")), *Blocker.Way.choices],
        label=gettext_lazy("Way"),
    )
    opened_on = forms.DateField(widget=DayInput, label=gettext_lazy("Opened on"))
    detail = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 3}), label=gettext_lazy("Details")
    )


class TransitionForm(ConfirmingForm):
    """What a step of a workflow needs, made from its declaration."""

    def __init__(self, transition: Transition, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.transition = transition
        for need in transition.needs:
            field: forms.Field
            if need.kind == "date":
                field = forms.DateField(widget=DayInput)
            else:
                field = forms.CharField(
                    widget=forms.Textarea(attrs={"rows": 3}) if need.kind == "long" else None
                )
            field.label, field.required = str(need.label), not need.optional
            self.fields[need.name] = field


class LightRuleForm(ConfirmingForm):
    """The bounds of the lights of an organisation, in ‰: 100 are 10 percentage points."""

    org = forms.TypedChoiceField(coerce=int, label=gettext_lazy("Organisation"))
    effective_on = forms.DateField(widget=DayInput, label=gettext_lazy("Valid from"))
    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))
    source = forms.CharField(
        max_length=300, label=gettext_lazy("Source"), widget=forms.Textarea(attrs={"rows": 2})
    )
    measure = forms.ChoiceField(choices=LightRule.Measure.choices, label=gettext_lazy("Measure"))
    yellow_from = forms.IntegerField(min_value=0, max_value=1000, label=gettext_lazy("Yellow from (‰)"))
    yellow_included = forms.BooleanField(
        required=False, label=gettext_lazy("The lower bound itself is yellow")
    )
    red_above = forms.IntegerField(min_value=0, max_value=1000, label=gettext_lazy("Red above (‰)"))
    start_red_months = forms.IntegerField(
        min_value=1, max_value=60, label=gettext_lazy("Start overdue: red from (months)")
    )
    statistics_yellow_months = forms.IntegerField(
        min_value=0,
        max_value=60,
        label=gettext_lazy("Statistics entry: yellow from (months, 0 = not checked)"),
    )
    statistics_red_months = forms.IntegerField(
        min_value=0, max_value=60, label=gettext_lazy("Statistics entry: red from (months)")
    )

    def __init__(self, *args: Any, orgs: Iterable[tuple[int, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["org"].choices = list(orgs)  # type: ignore[attr-defined]
