"""Forms of alarms, windows, channels. What is right, the actions say; the forms only ask."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from yuanmai.core.workflow import Transition
from yuanmai.devices.models import AlarmState, ChannelKind, Escalation, NotificationChannel, Severity
from yuanmai.devices.registry.forms import Named
from yuanmai.devices.rules.hours import HELP as HOURS_HELP
from yuanmai.people.models import User
from yuanmai.places.models import Park

R = TypeVar("R")
Pairs = Sequence[tuple[Any, Any]]


def attach(form: forms.Form, error: ValidationError) -> None:
    """Put an action's refusal at the fields of a form."""
    texts = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    for name, messages in texts.items():
        form.add_error(name if name in form.fields else None, cast(Any, messages))


def carry_out(form: forms.Form, call: Callable[[], R]) -> R | None:
    """Run an action; a refusal becomes messages at the fields, and None is returned."""
    try:
        return call()
    except ValidationError as error:
        attach(form, error)
        return None


class Moment(forms.DateTimeField):
    """A moment in the browser's own picker."""

    widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})

    def __init__(self, **options: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"], **options)


class AlarmFilter(forms.Form):
    """The filters of the list of alarms; every one stands in the address."""

    q = forms.CharField(required=False)
    state = forms.ChoiceField(required=False)
    severity = forms.ChoiceField(required=False)
    going = forms.ChoiceField(required=False)
    park = forms.ChoiceField(required=False)
    rule = forms.ChoiceField(required=False)
    mine = forms.ChoiceField(required=False)
    maintenance = forms.ChoiceField(required=False)

    def __init__(self, values: Any, parks: Pairs, rules: Pairs, kept: dict[str, str]) -> None:
        super().__init__({"state": "open", **values}, auto_id="filter_%s")
        every = [("", _("All"))]
        labels = {
            "q": _("Search"), "state": _("State"), "severity": _("Severity"), "going": _("Cause"), "park": _("Park"),
            "rule": _("Rule"), "mine": pgettext("alarm filter", "Assigned"), "maintenance": _("Maintenance"),
        }  # fmt: skip
        choices: dict[str, Pairs] = {
            "state": [("open", pgettext("alarm", "Not closed")), *AlarmState.choices, ("all", _("All"))],
            "severity": [*every, *Severity.choices],
            "going": [*every, ("yes", _("Still holds")), ("no", pgettext("alarm", "Cleared"))],
            "park": [*every, *parks],
            "rule": [*every, *rules],
            "mine": [*every, ("yes", _("To me"))],
            "maintenance": [*every, ("no", _("Outside maintenance")), ("yes", _("During maintenance"))],
        }
        for name, field in self.fields.items():
            field.label = labels[name]
            if name in choices:
                cast(forms.ChoiceField, field).choices = list(choices[name])
                if name == "park" and not parks:
                    field.widget = forms.HiddenInput()
        self.fields["q"].widget.attrs.update(placeholder=_("Device or rule"), type="search", maxlength=60)
        for name, value in kept.items():
            self.fields[name] = forms.CharField(required=False, widget=forms.HiddenInput(), initial=value)


class StepForm(forms.Form):
    """What a step of an alarm needs."""

    def __init__(self, transition: Transition, people: Pairs, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for need in transition.needs:
            required = not need.optional
            if need.name == "assignee":
                self.fields[need.name] = forms.TypedChoiceField(
                    label=str(need.label), required=required, coerce=int, empty_value=None,
                    choices=[("", _("Choose …")), *people],
                )  # fmt: skip
            else:
                self.fields[need.name] = forms.CharField(
                    label=str(need.label),
                    required=required,
                    max_length=5000,
                    widget=forms.Textarea(attrs={"rows": 2}),
                )


class CommentForm(forms.Form):
    """A comment."""

    text = forms.CharField(
        label=gettext_lazy("Comment"), max_length=5000, widget=forms.Textarea(attrs={"rows": 2})
    )


class PlacedForm(forms.Form):
    """Forms that name an organisation and, where wanted, a park."""

    org = forms.TypedChoiceField(coerce=int, label=gettext_lazy("Organisation"))
    park = Named(
        queryset=Park.objects.none(),
        label=gettext_lazy("Park"),
        required=False,
        empty_label=gettext_lazy("All"),
    )

    def offer(self, orgs: Pairs, parks: Any) -> None:
        """Fill the choices."""
        cast(forms.ChoiceField, self.fields["org"]).choices = list(orgs)
        cast(Any, self.fields["park"]).queryset = parks
        if len(orgs) == 1:
            self.fields["org"].widget = forms.HiddenInput()
            self.fields["org"].initial = orgs[0][0]


class WindowForm(PlacedForm):
    """A maintenance window."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    begins_at = Moment(label=pgettext_lazy("maintenance", "From"))
    ends_at = Moment(label=pgettext_lazy("maintenance", "Until"))
    devices = forms.CharField(
        label=gettext_lazy("Devices"), required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Codes of devices, separated by blanks. Left empty: all of the park or organisation."),
    )  # fmt: skip
    reason = forms.CharField(label=gettext_lazy("Reason"), widget=forms.Textarea(attrs={"rows": 2}))

    field_order = ["name", "org", "park", "begins_at", "ends_at", "devices", "reason"]


class EscalationForm(forms.Form):
    """An escalation."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    org = forms.TypedChoiceField(coerce=int, label=gettext_lazy("Organisation"))
    severity = forms.TypedChoiceField(
        coerce=int, choices=Severity.choices, initial=Severity.IMPORTANT, label=gettext_lazy("From severity")
    )
    after_minutes = forms.IntegerField(
        min_value=1, max_value=7 * 1440, initial=30, label=gettext_lazy("Not acknowledged after (minutes)")
    )
    raise_severity = forms.BooleanField(required=False, label=gettext_lazy("One severity higher"))
    assign_to = forms.ModelChoiceField(
        queryset=User.objects.none(), required=False, label=gettext_lazy("Assign to")
    )
    channel = forms.ModelChoiceField(
        queryset=NotificationChannel.objects.none(), required=False, label=gettext_lazy("Notify through")
    )
    enabled = forms.BooleanField(required=False, initial=True, label=gettext_lazy("In use"))

    @classmethod
    def initial_of(cls, row: Escalation) -> dict[str, Any]:
        """Return what a form of a row starts with."""
        return {
            "name": row.name, "org": row.org_id, "severity": row.severity, "after_minutes": row.after_minutes,
            "raise_severity": row.raise_severity, "assign_to": row.assign_to_id, "channel": row.channel_id,
            "enabled": row.enabled,
        }  # fmt: skip


class ChannelForm(PlacedForm):
    """A channel."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    kind = forms.ChoiceField(choices=ChannelKind.choices, label=gettext_lazy("Kind"))
    url = forms.CharField(
        label=gettext_lazy("Address"), required=False, max_length=500,
        help_text=gettext_lazy("The address that the group robot shows, or that of your program. Not for e-mail."),
    )  # fmt: skip
    secret = forms.CharField(
        label=gettext_lazy("Secret for signing"), required=False, max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Stored encrypted and never shown again. Left empty, the present one stays."),
    )  # fmt: skip
    recipients = forms.CharField(
        label=gettext_lazy("Recipients"), required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("E-mail addresses, one a line. Only for e-mail."),
    )  # fmt: skip
    severity = forms.TypedChoiceField(
        coerce=int, choices=Severity.choices, initial=Severity.IMPORTANT, label=gettext_lazy("From severity")
    )
    hours = forms.CharField(
        label=gettext_lazy("Only at these hours"), required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=HOURS_HELP,
    )  # fmt: skip
    per_minute = forms.IntegerField(
        min_value=1, max_value=60, initial=3, label=gettext_lazy("Messages a minute at most")
    )
    language = forms.ChoiceField(
        choices=[("zh-hans", "简体中文"), ("en", "English")], label=gettext_lazy("Language")
    )
    tells_cleared = forms.BooleanField(
        required=False, initial=True, label=gettext_lazy("Also when an alarm is cleared")
    )
    enabled = forms.BooleanField(required=False, initial=True, label=gettext_lazy("In use"))

    # What is asked for which kind, for the page.
    depends = json.dumps(
        {
            "url": ("kind", [kind for kind in ChannelKind.values if kind != ChannelKind.MAIL]),
            "secret": ("kind", [kind for kind in ChannelKind.values if kind != ChannelKind.MAIL]),
            "recipients": ("kind", [ChannelKind.MAIL]),
        }
    )
    field_order = [
        "name",
        "kind",
        "org",
        "park",
        "url",
        "secret",
        "recipients",
        "severity",
        "hours",
        "per_minute",
        "language",
    ]
