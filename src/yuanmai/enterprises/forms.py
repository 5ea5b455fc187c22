"""Forms of the enterprises room."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from yuanmai.enterprises.actions import clean_credit_code
from yuanmai.enterprises.models import Enterprise
from yuanmai.places.models import Park


class EnterpriseFilter(forms.Form):
    """What the register can be narrowed by."""

    q = forms.CharField(label=_("Search"), required=False, max_length=60)
    industry = forms.ChoiceField(label=_("Industry"), required=False)
    park = forms.ChoiceField(label=_("Park"), required=False)

    def __init__(self, data: Any, industries: Sequence[str], parks: Sequence[tuple[int, str]]) -> None:
        super().__init__(data)
        every = [("", gettext("all"))]
        for name, values in (
            ("industry", [(value, value) for value in industries]),
            ("park", [(str(pk), label) for pk, label in parks]),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = every + values


class EnterpriseForm(forms.ModelForm[Enterprise]):
    """What is known of an enterprise. The rules are the action's; the form only asks."""

    org = forms.ChoiceField(label=_("Organisation"))
    # Not made from the model: that would read the parks when this module is loaded, outside of any data scope.
    park = forms.ModelChoiceField(queryset=Park.objects.none(), label=_("Park"), required=False)

    class Meta:
        model = Enterprise
        fields = [
            "name", "credit_code", "industry", "chain", "chain_role", "address", "contact", "phone", "note",
        ]  # fmt: skip
        widgets = {"note": forms.Textarea(attrs={"rows": 3})}
        help_texts = {"credit_code": _("18 characters, as on the business licence")}

    field_order = ["org", "name", "credit_code", "industry", "chain", "chain_role", "park"]

    def __init__(self, *args: Any, orgs: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["org"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(str(pk), name) for pk, name in orgs]
        self.fields["credit_code"].max_length = None  # type: ignore[attr-defined]
        self.fields["credit_code"].validators = []
        self.fields["credit_code"].widget.attrs.pop("maxlength", None)
        park = self.fields["park"]
        assert isinstance(park, forms.ModelChoiceField)
        park.queryset = Park.objects.filter(org_id__in=[pk for pk, _name in orgs]).order_by("name")
        if self.instance.pk:
            self.initial.setdefault("park", self.instance.park_id)
            del self.fields["org"]

    def clean_credit_code(self) -> str:
        """Check the code at its field, before the model's own rule about its length speaks."""
        try:
            return clean_credit_code(str(self.cleaned_data.get("credit_code", "")))
        except ValidationError as error:
            raise ValidationError(error.message_dict["credit_code"]) from None

    def validate_unique(self) -> None:
        """Left to the action, which knows about retired enterprises."""
