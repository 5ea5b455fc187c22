"""The forms of contracts, papers, disbursement, payment, physical work and change of use."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.common.money import yuan_text
from yuanmai.core.figures.display import chinese
from yuanmai.funds.models import Certificate, ChangeOfUse, Contract, Invoice, NamedUse, Tranche
from yuanmai.places.models import Building
from yuanmai.projects.forms import ConfirmingForm, DayInput, NumberField, WanField
from yuanmai.projects.models import Project


class MonthField(forms.CharField):
    """A month, given by the browser as 2022-05; its first day."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"type": "month"}), max_length=7, **options)

    def clean(self, value: Any) -> Any:
        """Return the first day of the month; raises `ValidationError` for anything else."""
        text = super().clean(value)
        try:
            return date.fromisoformat(f"{text}-01")
        except ValueError:
            raise ValidationError(_("Write the month as 2022-05.")) from None

    def prepare_value(self, value: Any) -> Any:
        """Show a day as its month."""
        return f"{value:%Y-%m}" if isinstance(value, date) else value


def day(label: Any, **options: Any) -> forms.DateField:
    """Return a field for a day."""
    return forms.DateField(widget=DayInput, label=label, **options)


AMOUNT = gettext_lazy("Amount (10,000 yuan)")


class ContractForm(ConfirmingForm):
    """A contract."""

    number = forms.CharField(max_length=80, label=gettext_lazy("Contract number"))
    name = forms.CharField(max_length=200, label=gettext_lazy("Contract name"))
    payee = forms.CharField(max_length=160, label=gettext_lazy("Payee"))
    amount = WanField(label=gettext_lazy("Contract amount (10,000 yuan)"))
    signed_on = day(gettext_lazy("Signed on"))
    use = forms.ModelChoiceField(
        NamedUse.objects.none(),
        label=gettext_lazy("Use"),
        required=False,
        empty_label=gettext_lazy("Not stated"),
    )

    def __init__(self, *args: Any, uses: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["use"].queryset = uses  # type: ignore[attr-defined]
        self.fields["use"].help_text = _(
            "What the offering file names; only capital expenditure may be paid."
        )


class CertificateForm(ConfirmingForm):
    """A progress certificate."""

    number = forms.CharField(max_length=80, label=gettext_lazy("Number"))
    amount = WanField(label=gettext_lazy("Work done since the last one (10,000 yuan)"))
    effective_on = day(gettext_lazy("Date"))


class ConfirmationForm(ConfirmingForm):
    """The supervisor's confirmation of a certificate."""

    supervisor = forms.CharField(
        max_length=120, label=gettext_lazy("Confirmed by (supervising firm, person)")
    )
    confirmed_on = day(gettext_lazy("Confirmed on"))


class InvoiceForm(ConfirmingForm):
    """An invoice."""

    number = forms.CharField(max_length=80, label=gettext_lazy("Invoice number"))
    seller = forms.CharField(max_length=160, required=False, label=gettext_lazy("Seller"))
    amount = WanField(label=AMOUNT)
    effective_on = day(gettext_lazy("Date"))


class UsePlanForm(ConfirmingForm):
    """What is meant to be spent in a month."""

    month = MonthField(label=gettext_lazy("Month"))
    amount = WanField(label=AMOUNT)
    filed_on = day(gettext_lazy("Filed on"))


class TrancheChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A tranche, with what is left of it for the project."""

    def __init__(self, left: Any = None, **options: Any) -> None:
        super().__init__(queryset=Tranche.objects.none(), to_field_name="uid", **options)
        self.left: dict[int, str] = left or {}

    def label_from_instance(self, obj: Any) -> str:
        """Name the tranche and what is left."""
        return f"{obj.code} {obj.name}{self.left.get(obj.pk, '')}"


class DisbursementForm(ConfirmingForm):
    """Treasury → owner."""

    tranche = TrancheChoice(label=gettext_lazy("Tranche"))
    amount = WanField(label=AMOUNT)
    effective_on = day(gettext_lazy("Date"))
    document = forms.CharField(max_length=120, required=False, label=gettext_lazy("Document"))

    def __init__(self, *args: Any, tranches: Any, left: dict[int, str], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["tranche"].queryset = tranches  # type: ignore[attr-defined]
        self.fields["tranche"].left = left  # type: ignore[attr-defined]


class PaperChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A certificate or invoice with its day and amount."""

    def label_from_instance(self, obj: Any) -> str:
        """Name the paper by number, day, amount."""
        amount = yuan_text(obj.amount, chinese=chinese())
        return f"{obj.number} · {obj.effective_on.isoformat()} · {amount}"


class PaymentForm(DisbursementForm):
    """Owner → payee."""

    use = forms.ModelChoiceField(NamedUse.objects.none(), label=gettext_lazy("Use"), required=False)
    certificate = PaperChoice(Certificate.objects.none(), label=gettext_lazy("Certificate"), required=False)
    invoice = PaperChoice(Invoice.objects.none(), label=gettext_lazy("Invoice"), required=False)
    field_order = ("tranche", "amount", "effective_on", "use", "certificate", "invoice", "document")

    def __init__(self, *args: Any, uses: Any, certificates: Any, invoices: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["document"].label = _("Voucher number")
        for name, rows in (("use", uses), ("certificate", certificates), ("invoice", invoices)):
            self.fields[name].queryset = rows  # type: ignore[attr-defined]
            self.fields[name].empty_label = _("Not stated")  # type: ignore[attr-defined]


class WorkForm(ConfirmingForm):
    """A physical work quantity as planned."""

    name = forms.CharField(max_length=160, label=gettext_lazy("Work"))
    unit = forms.CharField(max_length=20, label=gettext_lazy("Unit"))
    planned = NumberField(max_digits=14, decimal_places=2, label=gettext_lazy("Planned quantity"))
    contract = forms.ModelChoiceField(
        Contract.objects.none(),
        label=gettext_lazy("Contract"),
        required=False,
        empty_label=gettext_lazy("Not stated"),
    )
    building = forms.ModelChoiceField(
        Building.objects.none(),
        label=gettext_lazy("Building"),
        required=False,
        empty_label=gettext_lazy("Not stated"),
    )

    def __init__(self, *args: Any, contracts: Any, buildings: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["contract"].queryset = contracts  # type: ignore[attr-defined]
        self.fields["building"].queryset = buildings  # type: ignore[attr-defined]
        self.fields["unit"].widget.attrs["list"] = "offered-units"


class MeasureForm(ConfirmingForm):
    """How much stands on the ground, cumulative."""

    quantity = NumberField(max_digits=14, decimal_places=2, label=gettext_lazy("Measured quantity"))
    effective_on = day(gettext_lazy("Date"))
    note = forms.CharField(max_length=200, required=False, label=gettext_lazy("Note"))


class ChangeForm(ConfirmingForm):
    """A request to change the use."""

    tranche = TrancheChoice(label=gettext_lazy("Tranche"))
    receiver = forms.ModelChoiceField(
        Project.objects.none(), label=gettext_lazy("To project"), to_field_name="uid"
    )
    amount = WanField(label=AMOUNT)
    case = forms.ChoiceField(choices=ChangeOfUse.Case.choices, label=gettext_lazy("Case"))
    requested_on = day(gettext_lazy("Requested on"))
    document = forms.CharField(
        max_length=120, required=False, label=gettext_lazy("Document (of the audit, if it asks for it)")
    )
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), label=gettext_lazy("Reason"))

    def __init__(
        self,
        *args: Any,
        tranches: Any,
        left: dict[int, str],
        receivers: Any,
        names: Iterable[tuple[Any, str]],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.fields["tranche"].queryset = tranches  # type: ignore[attr-defined]
        self.fields["tranche"].left = left  # type: ignore[attr-defined]
        self.fields["receiver"].queryset = receivers  # type: ignore[attr-defined]
        self.fields["receiver"].widget.choices = [("", _("Choose …")), *names]
