"""Forms of the people room. They check form; what is allowed, the actions say."""

from typing import Any

from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from yuanmai.core.policy import PERMISSIONS
from yuanmai.people import permissions
from yuanmai.people.actor import UserActor
from yuanmai.people.lockout import locked_until
from yuanmai.people.models import Organisation, Role, User
from yuanmai.people.queries import organisations


class LockedAfterWrongCodes(forms.Form):
    """Wrong codes count like wrong passwords; a locked account takes no code."""

    user: User

    def clean_code(self) -> str:
        """Refuse while the account is locked."""
        if until := locked_until(self.user.username):
            raise ValidationError(
                _("Too many wrong codes or passwords. The account is locked until %(time)s."),
                params={"time": timezone.localtime(until).strftime("%H:%M")},
            )
        code: str = super().clean_code()  # type: ignore[misc]
        return code


class SecondFactorForm(LockedAfterWrongCodes, AuthenticateForm):
    """The second step of signing in."""


class SecondFactorAgainForm(LockedAfterWrongCodes, ReauthenticateForm):
    """The second factor asked for again."""


class OrganisationChoice(forms.ModelChoiceField[Organisation]):
    """A choice of organisations that shows the tree."""

    def label_from_instance(self, obj: Any) -> str:
        """Indent by depth."""
        return f"{'　' * (obj.depth - 1)}{obj.label}"


class DateInput(forms.DateInput):
    """The browser's own date field."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


def take_errors(form: forms.BaseForm, error: ValidationError) -> None:
    """Show an action's refusal at the fields it names, or above the form."""
    if hasattr(error, "error_dict"):
        for name, errors in error.error_dict.items():
            form.add_error(name if name in form.fields else None, errors)
    else:
        form.add_error(None, error)


class OrganisationForm(forms.ModelForm[Organisation]):
    """Add or change an organisation."""

    parent = OrganisationChoice(queryset=Organisation.objects.none(), label=_("Below"), required=False)

    class Meta:
        model = Organisation
        fields = ["code", "name", "short_name", "name_en", "kind", "level", "default_as_of"]
        widgets = {"default_as_of": DateInput()}
        help_texts = {
            "code": _("Small letters, digits and hyphens; stands in addresses and does not change."),
            "level": _("For example national or provincial; rules of bonds and standards ask for it."),
            "default_as_of": _("Only for an archived place: pages open at this day instead of today."),
        }

    def __init__(self, *args: Any, actor: UserActor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        parent: Any = self.fields["parent"]
        if self.instance.pk:
            del self.fields["parent"], self.fields["code"]
        else:
            parent.queryset = organisations(actor, permissions.MANAGE_ORGANISATIONS).filter(active=True)
            parent.empty_label = _("None: a new root")
            self.order_fields(["parent", "name", "code"])


class MoveForm(forms.Form):
    """Hang an organisation below another one."""

    parent = OrganisationChoice(queryset=Organisation.objects.none(), label=_("New place below"))

    def __init__(self, *args: Any, actor: UserActor, org: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        targets = organisations(actor, permissions.MANAGE_ORGANISATIONS).filter(active=True)
        self.fields["parent"].queryset = targets.exclude(path__startswith=org.path)  # type: ignore[attr-defined]


class UserForm(forms.Form):
    """Add or change an account."""

    username = forms.CharField(
        label=_("Account"),
        max_length=150,
        help_text=_("What the person types to sign in; it does not change."),
    )
    full_name = forms.CharField(label=_("Full name"), max_length=80)
    org = OrganisationChoice(queryset=Organisation.objects.none(), label=_("Works at"))
    phone = forms.CharField(label=_("Phone"), max_length=30, required=False)
    email = forms.EmailField(label=_("E-mail"), required=False)

    def __init__(self, *args: Any, actor: UserActor, user: User | None = None, **kwargs: Any) -> None:
        if user is not None:
            kwargs["initial"] = {
                "full_name": user.full_name,
                "org": user.org_id,
                "phone": user.phone,
                "email": user.email,
            }
        super().__init__(*args, **kwargs)
        orgs = organisations(actor, permissions.MANAGE_USERS).filter(active=True)
        self.fields["org"].queryset = orgs  # type: ignore[attr-defined]
        if user is not None:
            del self.fields["username"]


class UserFilter(forms.Form):
    """Narrow the list of accounts down."""

    q = forms.CharField(label=_("Name or account"), required=False)
    at = OrganisationChoice(
        queryset=Organisation.objects.none(), label=_("Organisation"), required=False, to_field_name="code"
    )
    role = forms.ChoiceField(label=_("Role"), required=False)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", _("All")),
            ("active", _("Active")),
            ("locked", _("Locked")),
            ("no_post", _("Without a post")),
        ],
    )

    def __init__(self, *args: Any, actor: UserActor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        at: Any = self.fields["at"]
        at.queryset, at.empty_label = organisations(actor), _("All")
        role: Any = self.fields["role"]
        role.choices = [("", _("All")), *((r.code, r.label) for r in Role.objects.all())]


class PostForm(forms.Form):
    """Give a post."""

    role = forms.ModelChoiceField(queryset=Role.objects.all(), label=_("Role"))
    org = OrganisationChoice(queryset=Organisation.objects.none(), label=_("Organisation"))
    title = forms.CharField(label=_("Job title"), max_length=80, required=False)
    since = forms.DateField(label=_("Since"), required=False, widget=DateInput())
    until = forms.DateField(label=_("Until"), required=False, widget=DateInput())

    def __init__(self, *args: Any, actor: UserActor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        orgs = organisations(actor, permissions.GRANT_ROLES).filter(active=True)
        self.fields["org"].queryset = orgs  # type: ignore[attr-defined]


class TokenForm(forms.Form):
    """Make an API token."""

    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("What uses it, for example: statistics bureau.")
    )
    days = forms.TypedChoiceField(
        label=_("Valid for"),
        coerce=int,
        initial=90,
        choices=[
            (7, _("7 days")),
            (30, _("30 days")),
            (90, _("90 days")),
            (180, _("180 days")),
            (365, _("365 days")),
        ],
    )
    codes = forms.MultipleChoiceField(label=_("Rights"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, actor: UserActor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        codes: Any = self.fields["codes"]
        codes.choices = [(code, p.name) for code, p in sorted(PERMISSIONS.items()) if actor.org_ids(code)]


class SetupForm(forms.Form):
    """The first page of a real installation."""

    token = forms.CharField(
        label=_("Set-up token"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    name = forms.CharField(label=_("Name of the place"), max_length=120)
    code = forms.SlugField(label=_("Code"), max_length=60)
    kind = forms.ChoiceField(
        label=_("Kind"), choices=Organisation.Kind.choices, initial=Organisation.Kind.PARK
    )

    GROUPS = ("system", "security", "audit")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for group in self.GROUPS:
            self.fields[f"{group}_username"] = forms.CharField(label=_("Account"), max_length=150)
            self.fields[f"{group}_full_name"] = forms.CharField(label=_("Full name"), max_length=80)
            for part, label in (("password", _("Password")), ("repeat", _("Password again"))):
                self.fields[f"{group}_{part}"] = forms.CharField(
                    label=label,
                    strip=False,
                    widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
                )

    def clean(self) -> dict[str, Any]:
        """The two passwords of each are alike."""
        data = super().clean() or {}
        for group in self.GROUPS:
            first, second = data.get(f"{group}_password"), data.get(f"{group}_repeat")
            if first and second and first != second:
                self.add_error(f"{group}_repeat", _("The two passwords differ."))
        return data
