"""The first page of a real installation."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.core.web import public_page
from yuanmai.people import actions, setup
from yuanmai.people.forms import SetupForm, take_errors
from yuanmai.people.models import Role
from yuanmai.people.passwords import HistoryValidator, ProfileValidator
from yuanmai.people.receivers import leave


@public_page(
    "before there are accounts; a token from the machine's console protects it, afterwards it is gone"
)
@never_cache
def first_run(request: HttpRequest) -> HttpResponse:
    """Create the place and the three administrators."""
    if not setup.needed():
        raise Http404
    setup.token()
    form = SetupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not setup.fits(form.cleaned_data["token"]):
            leave("session.set_up", request=request, name="", result="failed", after={"reason": "token"})
            form.add_error(
                "token", _("This is not the token. It stands on the console and in the file setup.token.")
            )
        else:
            response = _create(request, form)
            if response is not None:
                return response
    groups = [
        {
            "label": Role.Group(group).label,
            "fields": [form[f"{group}_{part}"] for part in ("username", "full_name", "password", "repeat")],
            "group": group,
        }
        for group in SetupForm.GROUPS
    ]
    rules = f"{ProfileValidator().get_help_text()} {HistoryValidator().get_help_text()}"
    return render(request, "people/setup.html", {"form": form, "groups": groups, "rules": rules.strip()})


def _create(request: HttpRequest, form: SetupForm) -> HttpResponse | None:
    data = form.cleaned_data
    try:
        with everywhere():
            actions.set_up_installation(
                SYSTEM,
                code=data["code"],
                name=data["name"],
                kind=data["kind"],
                administrators=[
                    actions.Administrator(
                        group,
                        data[f"{group}_username"],
                        data[f"{group}_full_name"],
                        data[f"{group}_password"],
                    )
                    for group in SetupForm.GROUPS
                ],
            )
    except ValidationError as error:
        take_errors(form, error)
        return None
    setup.used()
    messages.success(
        request,
        _("The installation is ready. Sign in as system administrator to add organisations and accounts."),
    )
    return redirect("account_login")
