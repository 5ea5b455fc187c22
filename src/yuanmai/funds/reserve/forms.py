"""The forms of the reserve."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.workflow import Transition
from yuanmai.funds.forms import PercentField
from yuanmai.funds.models import Frequency, Repayment, Reserve, ReserveItem, Review
from yuanmai.funds.reserve.rules import Rules, name_of, names
from yuanmai.projects.forms import ConfirmingForm, DayInput, NumberField, WanField

BY_RULE = ("", gettext_lazy("By the term"))


class ReserveForm(ConfirmingForm):
    """What a project asks for: demand, sources, terms, dates."""

    year = forms.IntegerField(
        label=gettext_lazy("Year of the demand"), widget=forms.TextInput(attrs={"inputmode": "numeric"})
    )
    field = forms.ChoiceField(label=gettext_lazy("Field of use"))
    sector = forms.ChoiceField(
        label=gettext_lazy("Sector"), help_text=gettext_lazy("Decides the minimum project capital.")
    )
    total_investment = WanField(label=gettext_lazy("Total investment (10,000 yuan)"))
    capital = WanField(
        label=gettext_lazy("Project capital (10,000 yuan)"),
        help_text=gettext_lazy("Bonds used as capital included."),
    )
    requested = WanField(label=gettext_lazy("Bonds requested (10,000 yuan)"))
    bonds_as_capital = WanField(
        required=False, label=gettext_lazy("Of which as project capital (10,000 yuan)")
    )
    other_debt = WanField(required=False, label=gettext_lazy("Other debt (10,000 yuan)"))
    term_years = forms.TypedChoiceField(coerce=int, label=gettext_lazy("Term (years)"))
    rate = PercentField(label=gettext_lazy("Planned rate (%)"))
    frequency = forms.TypedChoiceField(
        coerce=int,
        empty_value=None,
        required=False,
        choices=[BY_RULE, *Frequency.choices],
        label=gettext_lazy("Interest is paid"),
    )
    repayment = forms.ChoiceField(choices=Repayment.choices, label=gettext_lazy("Repayment"))
    construction_start = forms.DateField(
        required=False, widget=DayInput, label=gettext_lazy("Construction from")
    )
    construction_end = forms.DateField(
        required=False, widget=DayInput, label=gettext_lazy("Construction until")
    )
    operation_start = forms.DateField(required=False, widget=DayInput, label=gettext_lazy("Operation from"))
    deadline = forms.DateField(required=False, widget=DayInput, label=gettext_lazy("Needed by"))
    joint_start = forms.CharField(required=False, max_length=80, label=gettext_lazy("Joint start batch"))
    gap_closing = forms.BooleanField(required=False, label=gettext_lazy("Closes a gap in infrastructure"))
    depends_on = forms.ModelMultipleChoiceField(
        Reserve.objects.none(), required=False, label=gettext_lazy("Waits for"),
        help_text=gettext_lazy("Reserve projects that must come first."),
    )  # fmt: skip
    public_benefit = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 3}), label=gettext_lazy("Public benefit")
    )

    def __init__(
        self, *args: Any, rules: Rules, others: Mapping[int, str], batches: Iterable[str] = (), **options: Any
    ) -> None:
        super().__init__(*args, **options)
        known = rules["fields"]
        open_ones = [
            (code, name_of("fields", code))
            for code in _ordered("fields", known)
            if not known[code].get("negative")
        ]
        closed = [
            (code, name_of("fields", code))
            for code in _ordered("fields", known)
            if known[code].get("negative")
        ]
        self.fields["field"].choices = [  # type: ignore[attr-defined]
            (_("Open to special bonds"), open_ones), (_("Negative list"), closed),
        ]  # fmt: skip
        sectors = rules["minimum_capital"]
        self.fields["sector"].choices = [  # type: ignore[attr-defined]
            (code, f"{name_of('sectors', code)} ≥ {sectors[code] * 100:f}".rstrip("0").rstrip(".") + " %")
            for code in _ordered("sectors", sectors)
        ]
        terms = {
            *rules["permitted_terms"],
            *([self.initial["term_years"]] if self.initial.get("term_years") else []),
        }
        self.fields["term_years"].choices = [(term, str(term)) for term in sorted(terms)]  # type: ignore[attr-defined]
        self.fields["depends_on"].queryset = Reserve.objects.filter(pk__in=others)  # type: ignore[attr-defined]
        self.fields["depends_on"].label_from_instance = lambda row: others.get(row.pk, str(row.pk))  # type: ignore[attr-defined]
        if not others:
            self.fields["depends_on"].widget = forms.MultipleHiddenInput()
        self.fields["joint_start"].widget.attrs["list"] = "offered-batches"
        self.batches = sorted(set(batches) - {""})

    def attributes(self) -> dict[str, Any]:
        """Return the attributes as an action takes them."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "depends_on"}
        for name in ("bonds_as_capital", "other_debt"):
            values[name] = values[name] or Decimal(0)
        return values


def _ordered(listing: str, known: Iterable[str]) -> list[str]:
    order = list(names(listing))
    return sorted(known, key=lambda code: order.index(code) if code in order else len(order))


class ItemForm(forms.Form):
    """One line of the checklist."""

    state = forms.ChoiceField(choices=ReserveItem.State.choices, label=gettext_lazy("State"))
    document = forms.CharField(required=False, max_length=120, label=gettext_lazy("Document number"))
    dated_on = forms.DateField(required=False, widget=DayInput, label=gettext_lazy("Date"))
    note = forms.CharField(required=False, max_length=300, label=gettext_lazy("Note"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = str(field.label)


class UseForm(forms.Form):
    """One use that the offering file names; a line without name and amount is left out."""

    id = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(required=False, max_length=160, label=gettext_lazy("Use"))
    amount = WanField(required=False, label=gettext_lazy("Amount (10,000 yuan)"))
    capital_expenditure = forms.BooleanField(
        required=False, initial=True, label=gettext_lazy("Capital expenditure")
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = str(field.label)

    def line(self) -> dict[str, Any] | None:
        """Return the use as an action takes it, None for an empty line."""
        values = self.cleaned_data
        return values if values.get("name") or values.get("amount") is not None else None


class LoanForm(forms.Form):
    """One market loan; a line without lender and amount is left out."""

    id = forms.IntegerField(required=False, widget=forms.HiddenInput)
    lender = forms.CharField(required=False, max_length=120, label=gettext_lazy("Lender"))
    principal = WanField(required=False, label=gettext_lazy("Amount (10,000 yuan)"))
    rate = PercentField(required=False, label=gettext_lazy("Rate (%)"))
    drawn_on = forms.DateField(required=False, widget=DayInput, label=gettext_lazy("Drawn on"))
    periods = forms.IntegerField(required=False, min_value=1, max_value=400, label=gettext_lazy("Periods"))
    frequency = forms.TypedChoiceField(
        coerce=int, required=False, choices=Frequency.choices, label=gettext_lazy("Payments a year")
    )
    kind = forms.ChoiceField(
        choices=[c for c in Repayment.choices if c[0] != Repayment.INSTALMENTS],
        label=gettext_lazy("Repayment"),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["periods"].widget = forms.TextInput(attrs={"inputmode": "numeric", "size": 4})
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = str(field.label)

    def line(self) -> dict[str, Any] | None:
        """Return the loan as an action takes it, None for an empty line."""
        values = self.cleaned_data
        return values if values.get("lender") or values.get("principal") is not None else None


UseFormSet = forms.formset_factory(UseForm, extra=3, max_num=60)
LoanFormSet = forms.formset_factory(LoanForm, extra=2, max_num=20)


class FileForm(forms.Form):
    """A file for a line of the checklist."""

    item = forms.ChoiceField(label=gettext_lazy("Line of the checklist"))
    file = forms.FileField(label=gettext_lazy("File"))

    def __init__(self, *args: Any, items: Iterable[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["item"].choices = list(items)  # type: ignore[attr-defined]


class ReviewForm(ConfirmingForm):
    """A review: a score and an opinion for every heading, the verdict and its reason."""

    verdict = forms.ChoiceField(
        choices=Review.Verdict.choices, widget=forms.RadioSelect, label=gettext_lazy("Verdict")
    )
    opinion = forms.CharField(
        required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 4}), label=gettext_lazy("Opinion"),
        help_text=gettext_lazy("Needed for a send-back: what must be put right."),
    )  # fmt: skip

    def __init__(self, *args: Any, weights: Mapping[str, Decimal], **options: Any) -> None:
        super().__init__(*args, **options)
        self.codes = list(weights)
        for code in self.codes:
            label = name_of("headings", code)
            self.fields[f"score_{code}"] = NumberField(
                max_digits=5, decimal_places=2, label=_("Score: %(heading)s") % {"heading": label}
            )
            self.fields[f"opinion_{code}"] = forms.CharField(
                required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 1}),
                label=_("Opinion: %(heading)s") % {"heading": label},
            )  # fmt: skip
            for name in (f"score_{code}", f"opinion_{code}"):
                self.fields[name].widget.attrs["aria-label"] = str(self.fields[name].label)
        self.weights = weights

    def rows(self) -> list[dict[str, Any]]:
        """Return the headings with their fields and weights, as the table shows them."""
        whole = sum(self.weights.values(), Decimal(0))
        return [
            {
                "name": name_of("headings", code),
                "weight": self.weights[code] / whole if whole else None,
                "score": self[f"score_{code}"],
                "opinion": self[f"opinion_{code}"],
            }
            for code in self.codes
        ]

    def headings(self) -> dict[str, dict[str, Any]]:
        """Return score and opinion by heading as the action takes them."""
        return {
            code: {
                "score": self.cleaned_data[f"score_{code}"],
                "opinion": self.cleaned_data[f"opinion_{code}"],
            }
            for code in self.codes
        }


class StepForm(ConfirmingForm):
    """What a step of the reserve's workflow needs, made from its declaration; money is typed in 万元."""

    def __init__(self, transition: Transition, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.transition = transition
        for need in transition.needs:
            field: forms.Field
            if need.kind == "money":
                field = WanField()
            elif need.kind == "date":
                field = forms.DateField(widget=DayInput)
            else:
                long = need.kind == "long"
                field = forms.CharField(
                    max_length=5000 if long else 120,
                    widget=forms.Textarea(attrs={"rows": 2}) if long else None,
                )
            field.label, field.required = str(need.label), not need.optional
            self.fields[need.name] = field
