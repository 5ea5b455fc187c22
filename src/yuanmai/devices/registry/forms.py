"""Forms of the register. The rules are the actions'; the forms only ask."""

import json
from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from yuanmai.devices.engine.mapping import profile_of
from yuanmai.devices.models import Device, ProductTemplate, Protocol
from yuanmai.devices.registry.tables import SHORT
from yuanmai.enterprises.models import Enterprise
from yuanmai.places.models import Building, Park

Pairs = Sequence[tuple[Any, str]]


class DeviceFilter(forms.Form):
    """The filters of the register; every one stands in the address."""

    q = forms.CharField(required=False)
    state = forms.ChoiceField(required=False)
    protocol = forms.ChoiceField(required=False)
    template = forms.ChoiceField(required=False)
    park = forms.ChoiceField(required=False)
    building = forms.ChoiceField(required=False)
    enterprise = forms.ChoiceField(required=False)
    alarm = forms.ChoiceField(required=False)
    placed = forms.ChoiceField(required=False)
    use = forms.ChoiceField(required=False)

    def __init__(self, values: Any, offered: dict[str, list[tuple[str, str]]], kept: dict[str, str]) -> None:
        super().__init__(values, auto_id="filter_%s")
        every = [("", _("All"))]
        labels = {
            "q": _("Search"), "state": _("State"), "protocol": _("Protocol"), "template": _("Template"), "park": _("Park"),
            "building": _("Building"), "enterprise": _("Enterprise"), "alarm": _("Alarms"), "placed": _("On the map"),
            "use": _("In use"),
        }  # fmt: skip
        fixed: dict[str, Pairs] = {
            "state": [
                *every,
                ("online", _("Online")),
                ("offline", _("Offline")),
                ("never", _("Never heard")),
            ],
            "protocol": [*every, *SHORT.items()],
            "alarm": [*every, ("open", _("With open alarms")), ("none", _("Without open alarms"))],
            "placed": [*every, ("yes", _("With a place")), ("no", _("Without a place"))],
            "use": [
                *every,
                ("yes", _("In use")),
                ("no", _("Not in use")),
                ("retired", pgettext("device", "Not in the register")),
            ],
        }
        for name, field in self.fields.items():
            field.label = labels[name]
            if name in fixed:
                cast(forms.ChoiceField, field).choices = fixed[name]
            elif name != "q":
                cast(forms.ChoiceField, field).choices = [*every, *offered.get(name, ())]
                if not offered.get(name):
                    field.widget = forms.HiddenInput()
        self.fields["q"].widget.attrs.update(
            placeholder=_("Name, code, identity"), type="search", maxlength=60
        )
        for name, value in kept.items():
            self.fields[name] = forms.CharField(required=False, widget=forms.HiddenInput(), initial=value)


def _related(form: forms.Form, name: str, rows: Any) -> None:
    cast(forms.ModelChoiceField, form.fields[name]).queryset = rows  # type: ignore[type-arg]


NONE = pgettext_lazy("device", "Not stated")


class Named(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice out of rows, called as the reader's language calls them."""

    def label_from_instance(self, obj: Any) -> str:
        """Return its name in the language of the page."""
        return str(getattr(obj, "label", obj))


class PlaceFields(forms.Form):
    """Where devices belong: shared by all forms that say so."""

    park = Named(queryset=Park.objects.none(), label=gettext_lazy("Park"), required=False, empty_label=NONE)
    building = Named(
        queryset=Building.objects.none(), label=gettext_lazy("Building"), required=False, empty_label=NONE
    )
    enterprise = Named(
        queryset=Enterprise.objects.none(), label=gettext_lazy("Enterprise"), required=False, empty_label=NONE
    )

    def offer_places(self, org_ids: Sequence[int]) -> None:
        """Fill the choices with what lies in these organisations; the only park of the first is chosen already."""
        parks = list(Park.objects.filter(org_id__in=org_ids[:1]).values_list("pk", flat=True)[:2])
        if len(parks) == 1:
            self.fields["park"].initial = parks[0]
        _related(self, "park", Park.objects.filter(org_id__in=org_ids).defer("geometry").order_by("name"))
        _related(
            self, "building", Building.objects.filter(org_id__in=org_ids).defer("geometry").order_by("name")
        )
        _related(
            self,
            "enterprise",
            Enterprise.objects.filter(org_id__in=org_ids, retired_at=None).order_by("name"),
        )


class TemplateChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice out of templates that were read already: those of organisations above lie outside the data scope."""

    def __init__(self, **kwargs: Any) -> None:
        self.offered: dict[str, ProductTemplate] = {}
        super().__init__(queryset=ProductTemplate.objects.none(), **kwargs)

    def offer(self, templates: Sequence[ProductTemplate]) -> None:
        """Offer these."""
        self.offered = {str(row.pk): row for row in templates}
        self.widget.choices = [
            ("", _("Choose …")),
            *((pk, f"{row.label} · {SHORT[row.protocol]} · {row.code}") for pk, row in self.offered.items()),
        ]

    def to_python(self, value: Any) -> Any:
        """Return the template."""
        if value in self.empty_values:
            return None
        row = self.offered.get(str(value))
        if row is None:
            raise ValidationError(_("Choose a template that serves this organisation."))
        return row

    def validate(self, value: Any) -> None:
        """Only whether one is there."""
        forms.Field.validate(self, value)


class DeviceForm(PlaceFields):
    """What is known of a device."""

    org = forms.ChoiceField(label=gettext_lazy("Organisation"))
    template = TemplateChoice(label=gettext_lazy("Template"))
    code = forms.CharField(label=gettext_lazy("Code"), max_length=60)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    name_en = forms.CharField(label=gettext_lazy("English name"), max_length=160, required=False)
    key = forms.CharField(
        label=gettext_lazy("Identity in the protocol"), max_length=200, required=False,
        help_text=gettext_lazy("What the device calls itself: MN, phone number, client identifier, host:port/unit. For HTTP its code."),
    )  # fmt: skip
    parent = Named(
        queryset=Device.objects.none(), label=gettext_lazy("Part of"), required=False, empty_label=NONE
    )
    longitude = forms.FloatField(label=gettext_lazy("Longitude (WGS84)"), required=False)
    latitude = forms.FloatField(label=gettext_lazy("Latitude (WGS84)"), required=False)
    mobile = forms.BooleanField(label=gettext_lazy("Moves"), required=False)
    silence_after = forms.IntegerField(
        label=gettext_lazy("Counts as offline after (s) of silence"), required=False, min_value=10,
        help_text=gettext_lazy("Empty: as the template says"),
    )  # fmt: skip
    installed_on = forms.DateField(
        label=gettext_lazy("Installed on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    enabled = forms.BooleanField(label=gettext_lazy("In use"), required=False, initial=True)
    profile = forms.CharField(
        label=gettext_lazy("Communication profile"), required=False, widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=gettext_lazy("JSON; overrides the template's profile, such as {\"crc\": \"modbus\"}"),
    )  # fmt: skip
    note = forms.CharField(
        label=gettext_lazy("Note"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    field_order = [
        "org", "template", "code", "name", "name_en", "key", "park", "building", "enterprise", "parent", "longitude", "latitude",
        "mobile", "enabled", "silence_after", "installed_on", "profile", "note",
    ]  # fmt: skip

    def __init__(
        self,
        *args: Any,
        orgs: Pairs,
        templates: Sequence[ProductTemplate],
        device: Device | None = None,
        **kwargs: Any,
    ) -> None:
        if device is not None:
            kwargs.setdefault("initial", {**_initial(device), **kwargs.get("initial", {})})
        super().__init__(*args, **kwargs)
        ids = [pk for pk, _name in orgs]
        self.offer_places(ids)
        cast(TemplateChoice, self.fields["template"]).offer(templates)
        cast(forms.ChoiceField, self.fields["org"]).choices = [(str(pk), name) for pk, name in orgs]
        parents = Device.objects.filter(org_id__in=ids, retired_at=None, parent=None)
        if device is not None:
            parents = parents.filter(org_id=device.org_id).exclude(pk=device.pk)
            del self.fields["org"]
        _related(self, "parent", parents.order_by("code"))

    def clean_profile(self) -> dict[str, Any]:
        """Read the JSON object."""
        return json_object(self.cleaned_data.get("profile", ""))

    def values(self) -> dict[str, Any]:
        """Return what the action is given; what the template decides is left out where the field is empty."""
        given = dict(self.cleaned_data)
        given.pop("org", None)
        if given.get("silence_after") is None:
            given.pop("silence_after", None)
        return given


def json_object(text: str) -> dict[str, Any]:
    """Read a JSON object, an empty text as an empty one; raises `ValidationError` saying where it breaks off."""
    if not text.strip():
        return {}
    try:
        told = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValidationError(
            _("This is not JSON: line %(line)s, column %(column)s.")
            % {"line": error.lineno, "column": error.colno}
        ) from None
    if not isinstance(told, dict):
        raise ValidationError(_('A profile is a JSON object, such as {"interval": 60}.'))
    try:
        profile_of(told)
    except ValueError as error:
        raise ValidationError(_("The mapping cannot be used – %(fault)s") % {"fault": error}) from None
    return told


def _initial(device: Device) -> dict[str, Any]:
    names = (
        "code", "name", "name_en", "key", "longitude", "latitude", "mobile", "silence_after", "installed_on", "enabled", "note",
    )  # fmt: skip
    related = {
        name: getattr(device, f"{name}_id")
        for name in ("template", "parent", "park", "building", "enterprise")
    }
    profile = json.dumps(device.profile, ensure_ascii=False, indent=1) if device.profile else ""
    return {**{name: getattr(device, name) for name in names}, **related, "profile": profile}


class BatchForm(PlaceFields):
    """A row of devices of one template."""

    org = forms.ChoiceField(label=gettext_lazy("Organisation"))
    template = TemplateChoice(label=gettext_lazy("Template"))
    count = forms.IntegerField(
        label=gettext_lazy("Number of devices"), min_value=1, max_value=2000, initial=10
    )
    first = forms.IntegerField(label=gettext_lazy("First number"), min_value=0, max_value=999_999, initial=1)
    code = forms.CharField(
        label=gettext_lazy("Code"), max_length=60, initial="dev-{n:04}",
        help_text=gettext_lazy("{n} is the number, {n:04} the number with four digits"),
    )  # fmt: skip
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=120, help_text=gettext_lazy("Without {n} the number is put behind it"),
    )  # fmt: skip
    key = forms.CharField(
        label=gettext_lazy("Identity in the protocol"), max_length=200, required=False,
        help_text=gettext_lazy("With {n}, or the first identity, whose last digits are counted on. For HTTP empty: the code."),
    )  # fmt: skip

    field_order = [
        "org",
        "template",
        "count",
        "first",
        "code",
        "name",
        "key",
        "park",
        "building",
        "enterprise",
    ]

    def __init__(self, *args: Any, orgs: Pairs, templates: Sequence[ProductTemplate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_places([pk for pk, _name in orgs])
        cast(TemplateChoice, self.fields["template"]).offer(templates)
        cast(forms.ChoiceField, self.fields["org"]).choices = [(str(pk), name) for pk, name in orgs]


class TemplateForm(forms.Form):
    """What devices of one make have in common; the points stand in the grid below."""

    org = forms.ChoiceField(label=gettext_lazy("Organisation"))
    code = forms.CharField(label=gettext_lazy("Code"), max_length=60)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    name_en = forms.CharField(label=gettext_lazy("English name"), max_length=160, required=False)
    protocol = forms.ChoiceField(label=gettext_lazy("Protocol"), choices=Protocol.choices)
    maker = forms.CharField(label=gettext_lazy("Maker"), max_length=120, required=False)
    icon = forms.ChoiceField(label=gettext_lazy("Icon"), required=False)
    source = forms.CharField(
        label=gettext_lazy("Source"), max_length=200, required=False,
        help_text=gettext_lazy("The standard or manual that addresses and units follow"),
    )  # fmt: skip
    profile = forms.CharField(
        label=gettext_lazy("Communication profile"), required=False, widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=gettext_lazy("JSON: how it speaks, such as poll interval, check sum, order of bytes, topic"),
    )  # fmt: skip

    ICONS = {
        "cpu": pgettext_lazy("icon", "General"), "server": pgettext_lazy("icon", "Gateway"), "droplet": pgettext_lazy("icon", "Water"),
        "flame": pgettext_lazy("icon", "Gas and heat"), "leaf": pgettext_lazy("icon", "Environment"), "bell": pgettext_lazy("icon", "Noise and alarm"),
        "sun-high": pgettext_lazy("icon", "Dust and weather"), "truck": pgettext_lazy("icon", "Lorry"), "car": pgettext_lazy("icon", "Car"),
        "bolt": pgettext_lazy("icon", "Electricity"), "gauge": pgettext_lazy("icon", "Meter"), "bulb": pgettext_lazy("icon", "Lighting"),
        "camera": pgettext_lazy("icon", "Camera"), "lock-access": pgettext_lazy("icon", "Gate"),
        "traffic-lights": pgettext_lazy("icon", "Traffic"), "world": pgettext_lazy("icon", "Network"),
    }  # fmt: skip

    def __init__(
        self, *args: Any, orgs: Pairs, template: ProductTemplate | None = None, **kwargs: Any
    ) -> None:
        if template is not None:
            names = ("code", "name", "name_en", "protocol", "maker", "icon", "source")
            profile = json.dumps(template.profile, ensure_ascii=False, indent=1) if template.profile else ""
            kwargs.setdefault("initial", {**{n: getattr(template, n) for n in names}, "profile": profile})
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["icon"]).choices = list(self.ICONS.items())
        cast(forms.ChoiceField, self.fields["org"]).choices = [(str(pk), name) for pk, name in orgs]
        if template is not None:
            del self.fields["org"]

    def clean_profile(self) -> dict[str, Any]:
        """Read the JSON object."""
        return json_object(self.cleaned_data.get("profile", ""))


class AdoptForm(PlaceFields):
    """What a device is taken into the register as."""

    org = forms.ChoiceField(label=gettext_lazy("Organisation"))
    template = TemplateChoice(label=gettext_lazy("Template"))
    code = forms.CharField(label=gettext_lazy("Code"), max_length=60)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)

    field_order = ["template", "org", "code", "name", "park", "building", "enterprise"]

    def __init__(self, *args: Any, orgs: Pairs, templates: Sequence[ProductTemplate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_places([pk for pk, _name in orgs])
        cast(TemplateChoice, self.fields["template"]).offer(templates)
        cast(forms.ChoiceField, self.fields["org"]).choices = [(str(pk), name) for pk, name in orgs]
