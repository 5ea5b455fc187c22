"""The form of the quota optimiser."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from yuanmai.funds.engine.optimise import Aim
from yuanmai.funds.forms import PercentField
from yuanmai.funds.insight.proposing import WEIGHTS, Wish
from yuanmai.projects.forms import WanField

POOLS = [
    ("approved", _("Approved projects")),
    ("reviewed", _("Reviewed projects and later")),
    ("all", _("All in reserve")),
]
FREE, IN, OUT = "auto", "in", "out"
PREFIX = "fix-"


class WishForm(forms.Form):
    """What is to be allotted, among whom, and what counts how much."""

    pool = forms.ChoiceField(choices=POOLS, label=_("Among"), initial="reviewed")
    quota = WanField(
        required=False,
        min_value=0,
        label=_("Quota (10,000 yuan)"),
        help_text=_("Empty: all that the batches hold."),
    )
    lot = WanField(
        min_value=Decimal(1), label=_("Lot (10,000 yuan)"), help_text=_("Amounts are multiples of it.")
    )
    least = PercentField(
        min_value=0,
        max_value=100,
        label=_("Least useful share (%)"),
        help_text=_("A project gets at least so much of what it asks for, or nothing."),
    )
    batch = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple, label=_("Batches"))
    amount = WanField(
        required=False, min_value=0, label=_("Expected issue (10,000 yuan)"), help_text=_("Empty or 0: none.")
    )
    term = forms.TypedChoiceField(coerce=int, label=_("Its term"))
    rate = PercentField(min_value=0, max_value=30, label=_("Its rate (%)"))
    day = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}), label=_("Its value date"))

    def __init__(
        self, *args: Any, batches: Iterable[tuple[str, str]], terms: Iterable[int], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        choices: dict[str, Any] = {"batch": list(batches), "term": [(term, str(term)) for term in terms]}
        for name, values in choices.items():
            self.fields[name].choices = values  # type: ignore[attr-defined]
        for aim in Aim:
            self.fields[f"weight_{aim.value}"] = forms.IntegerField(
                min_value=0,
                max_value=100,
                initial=WEIGHTS[aim],
                widget=forms.NumberInput(
                    attrs={"type": "range", "min": 0, "max": 100, "step": 5, "class": "form-range"}
                ),
            )

    def wish(self) -> Wish:
        """Return what is asked for; the form is valid."""
        data = self.cleaned_data
        fixes = {
            name.removeprefix(PREFIX): value for name, value in self.data.items() if name.startswith(PREFIX)
        }
        expected = (data["amount"], data["term"], data["rate"], data["day"]) if data["amount"] else None
        return Wish(
            pool=data["pool"],
            quota=data["quota"],
            lot=data["lot"],
            least=data["least"],
            batches=data["batch"],
            expected=expected,
            weights={aim: data[f"weight_{aim.value}"] for aim in Aim},
            fixed_in=frozenset(uid for uid, value in fixes.items() if value == IN),
            fixed_out=frozenset(uid for uid, value in fixes.items() if value == OUT),
        )
