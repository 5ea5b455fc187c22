"""The forms of quota, tranches, allotment, on-lending and early redemption. Amounts in 10,000 yuan, rates in per cent."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.funds.forms import PercentField
from yuanmai.funds.models import Frequency, Repayment
from yuanmai.projects.forms import ConfirmingForm, DayInput, WanField

HUNDRED = Decimal(100)
BY_TERM = [("", gettext_lazy("By the term, as customary")), *Frequency.choices]


class WholeField(forms.IntegerField):
    """A whole number typed into a plain box."""

    widget = forms.TextInput

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Phones show the number pad."""
        return {**super().widget_attrs(widget), "inputmode": "numeric", "autocomplete": "off"}


class TrancheForm(ConfirmingForm):
    """The terms of an issue. What is left empty follows from custom: value date, frequency, fees."""

    org = forms.TypedChoiceField(coerce=int, label=gettext_lazy("Kept by"))
    code = forms.CharField(max_length=40, label=gettext_lazy("Bond code"))
    name = forms.CharField(max_length=160, label=gettext_lazy("Bond name"))
    batch_name = forms.CharField(max_length=80, required=False, label=gettext_lazy("Batch"))
    issuer = forms.CharField(max_length=80, required=False, label=gettext_lazy("Issuer"))
    amount = WanField(label=gettext_lazy("Amount (10,000 yuan)"))
    rate = PercentField(label=gettext_lazy("Rate (% a year)"))
    term_years = WholeField(label=gettext_lazy("Term (years)"))
    tendered_on = forms.DateField(widget=DayInput, label=gettext_lazy("Tender"))
    value_date = forms.DateField(
        widget=DayInput,
        required=False,
        label=gettext_lazy("Value date"),
        help_text=gettext_lazy("Left empty: the next interbank working day after the tender."),
    )
    matures_on = forms.DateField(
        widget=DayInput,
        required=False,
        label=gettext_lazy("Maturity"),
        help_text=gettext_lazy("May stay empty; where stated, it is checked against value date and term."),
    )
    frequency = forms.TypedChoiceField(
        choices=BY_TERM, coerce=int, empty_value=None, required=False, label=gettext_lazy("Interest paid")
    )
    repayment = forms.ChoiceField(choices=Repayment.choices, label=gettext_lazy("Repayment"))
    issue_fee_rate = PercentField(required=False, label=gettext_lazy("Issue fee (%)"))
    registration_fee_rate = PercentField(required=False, label=gettext_lazy("Registration fee (%)"))
    redemption_fee_rate = PercentField(required=False, label=gettext_lazy("Redemption fee (%)"))

    def __init__(self, *args: Any, orgs: Iterable[tuple[int, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["org"].choices = list(orgs)  # type: ignore[attr-defined]


class InstalmentForm(forms.Form):
    """A part of the principal repaid at the end of a year of the term."""

    year = WholeField(required=False, label=gettext_lazy("Year of the term"))
    share = PercentField(required=False, label=gettext_lazy("Part of the principal (%)"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = str(field.label)

    def clean(self) -> dict[str, Any]:
        """Refuse a line of which only one half is stated."""
        values = super().clean() or {}
        if not self.errors and (values.get("year") is None) != (values.get("share") is None):
            raise ValidationError(_("State both the year and the part."))
        return values

    def part(self) -> dict[str, Any] | None:
        """Return the instalment as an action takes it, None for an empty line."""
        values = self.cleaned_data
        return {"year": values["year"], "share": values["share"]} if values.get("year") is not None else None


InstalmentFormSet = forms.formset_factory(InstalmentForm, extra=6, max_num=60)


class QuotaForm(ConfirmingForm):
    """The quota of a place in a year, from a day on."""

    org = forms.TypedChoiceField(coerce=int, label=gettext_lazy("Place"))
    year = WholeField(label=gettext_lazy("Year"))
    amount = WanField(label=gettext_lazy("Quota (10,000 yuan)"))
    effective_on = forms.DateField(widget=DayInput, label=gettext_lazy("Valid from"))
    document = forms.CharField(max_length=200, required=False, label=gettext_lazy("Document"))

    def __init__(self, *args: Any, orgs: Iterable[tuple[int, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["org"].choices = list(orgs)  # type: ignore[attr-defined]


class AllotForm(ConfirmingForm):
    """The day and document of an allotment."""

    effective_on = forms.DateField(widget=DayInput, label=gettext_lazy("Allotted on"))
    document = forms.CharField(max_length=100, required=False, label=gettext_lazy("Document"))
    beyond_quota = forms.CharField(
        max_length=100,
        required=False,
        label=gettext_lazy("Document that allows more than the quota"),
        help_text=gettext_lazy("Only where a higher authority allows it; it then stands among the findings."),
    )


class LineForm(forms.Form):
    """What one project gets."""

    amount = WanField(required=False, label=gettext_lazy("Amount (10,000 yuan)"))
    replace = forms.BooleanField(required=False, label=gettext_lazy("In place of what was planned"))

    def __init__(self, *args: Any, name: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{name}: {field.label}"


class RedeemForm(ConfirmingForm):
    """A part of the tranche that one project redeems before its time."""

    project = forms.TypedChoiceField(coerce=int, label=gettext_lazy("Project"))
    amount = WanField(label=gettext_lazy("Amount (10,000 yuan)"))
    effective_on = forms.DateField(widget=DayInput, label=gettext_lazy("Redeemed on"))
    document = forms.CharField(max_length=120, required=False, label=gettext_lazy("Document"))

    def __init__(self, *args: Any, projects: Iterable[tuple[int, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["project"].choices = list(projects)  # type: ignore[attr-defined]


class LendForm(ConfirmingForm):
    """A part of the tranche passed on to an organisation below."""

    lender = forms.TypedChoiceField(coerce=int, label=gettext_lazy("Passed on by"))
    borrower = forms.TypedChoiceField(coerce=int, label=gettext_lazy("Passed on to"))
    amount = WanField(label=gettext_lazy("Amount (10,000 yuan)"))
    effective_on = forms.DateField(widget=DayInput, label=gettext_lazy("Passed on on"))
    agreement = forms.CharField(max_length=120, required=False, label=gettext_lazy("Agreement"))

    def __init__(
        self,
        *args: Any,
        lenders: Iterable[tuple[int, str]],
        borrowers: Iterable[tuple[int, str]],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.fields["lender"].choices = list(lenders)  # type: ignore[attr-defined]
        self.fields["borrower"].choices = list(borrowers)  # type: ignore[attr-defined]
