"""Forms of the bulletins' pages."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.cockpit.bulletins.compose import Head
from yuanmai.cockpit.bulletins.period import EXAMPLES, Period, parse
from yuanmai.cockpit.models import Bulletin

LANGUAGES = [("zh", "中文"), ("en", "English")]


class ChoiceForm(forms.Form):
    """Which bulletin: kind, period, language."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind of bulletin"), choices=Bulletin.Kind.choices)
    period = forms.CharField(
        label=gettext_lazy("Period of the bulletin"),
        max_length=8,
        help_text=gettext_lazy("2022-03, 2022Q1 or 2022"),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=LANGUAGES)

    def clean(self) -> dict[str, Any]:
        """Read the period; the error names what was expected."""
        values = super().clean() or {}
        kind, text = values.get("kind"), values.get("period")
        if kind and text:
            try:
                values["parsed"] = parse(kind, text)
            except ValueError:
                self.add_error(
                    "period",
                    ValidationError(_("Write the period like %(example)s.") % {"example": EXAMPLES[kind]}),
                )
        return values

    @property
    def parsed(self) -> Period:
        """The period, after validation."""
        period: Period = self.cleaned_data["parsed"]
        return period


class IssueForm(ChoiceForm):
    """The same with what the issuer decides about the document; empty fields mean the usual text."""

    number = forms.CharField(label=gettext_lazy("Document number"), max_length=60, required=False)
    mark = forms.CharField(label=gettext_lazy("Red title"), max_length=60, required=False)
    addressee = forms.CharField(label=gettext_lazy("Addressee"), max_length=200, required=False)
    signature = forms.CharField(label=gettext_lazy("Signed by"), max_length=80, required=False)
    signed_on = forms.DateField(
        label=gettext_lazy("Date of signature"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    copies_to = forms.CharField(
        label=gettext_lazy("Copies to"),
        required=False,
        max_length=400,
        help_text=gettext_lazy("Several recipients are separated by commas."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("kind", "period", "language"):
            self.fields[name].widget = forms.HiddenInput()

    @property
    def head(self) -> Head:
        """The head of the document, after validation."""
        values = self.cleaned_data
        copies = values["copies_to"].replace("，", ",").replace("、", ",").split(",")
        return Head(
            mark=values["mark"].strip(),
            number=values["number"].strip(),
            addressee=values["addressee"].strip(),
            signature=values["signature"].strip(),
            signed_on=values["signed_on"],
            copies_to=tuple(text.strip() for text in copies if text.strip()),
        )
