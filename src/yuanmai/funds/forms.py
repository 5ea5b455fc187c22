"""The forms of the funds room."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.funds.models import Security, Source
from yuanmai.projects.forms import ConfirmingForm, DayInput, NumberField, WanField

HUNDRED = Decimal(100)


class PercentField(NumberField):
    """A rate typed in per cent, cleaned to a fraction."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_digits", 9)
        options.setdefault("decimal_places", 4)
        super().__init__(**options)

    def clean(self, value: Any) -> Decimal | None:
        """Return the fraction; raises `ValidationError`."""
        text = value.replace("%", "").replace("％", "") if isinstance(value, str) else value
        percent = super().clean(text)
        return None if percent is None else Decimal(percent) / HUNDRED

    def prepare_value(self, value: Any) -> Any:
        """Show a fraction as per cent without needless zeros."""
        return percent_text(value) if isinstance(value, Decimal) else value


def percent_text(value: Decimal) -> str:
    """Return a fraction as per cent: 0.0253 is 2.53."""
    text = f"{value * HUNDRED:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class LineForm(forms.Form):
    """One source of a project; a line without amount and tranche is left out."""

    source = forms.ChoiceField(choices=Source.choices, label=gettext_lazy("Source"))
    security = forms.ChoiceField(choices=Security.choices, label=gettext_lazy("State"))
    year = forms.IntegerField(required=False, min_value=1990, max_value=2100, label=gettext_lazy("Year"))
    tranche = forms.CharField(required=False, max_length=80, label=gettext_lazy("Tranche"))
    amount = WanField(required=False, label=gettext_lazy("Amount (10,000 yuan)"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = str(field.label)
            if isinstance(field.widget, forms.NumberInput):
                field.widget = forms.TextInput(attrs={"inputmode": "numeric", "aria-label": str(field.label)})

    def line(self) -> dict[str, Any] | None:
        """Return the source as an action takes it, None for an empty line."""
        values = self.cleaned_data
        return values if values.get("amount") is not None else None

    def clean(self) -> dict[str, Any]:
        """Refuse a line that names a tranche or a year and no amount."""
        values = super().clean() or {}
        if (
            values.get("amount") is None
            and (values.get("tranche") or values.get("year"))
            and not self.initial
        ):
            self.add_error("amount", _("State the amount."))
        return values


LineFormSet = forms.formset_factory(LineForm, extra=3, max_num=60)


class FundingForm(ConfirmingForm):
    """The day from which the sources hold."""

    effective_on = forms.DateField(widget=DayInput, label=gettext_lazy("Valid from"))
