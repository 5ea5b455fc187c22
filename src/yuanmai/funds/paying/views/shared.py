"""What the pages of paying share."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from yuanmai.common.money import yuan_text
from yuanmai.core.figures import Query
from yuanmai.core.figures.display import chinese
from yuanmai.core.findings import Finding
from yuanmai.core.policy import Text
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.funds.engine.payments import Verdict
from yuanmai.funds.files import ACCEPT
from yuanmai.funds.models import Certificate, ChangeOfUse, Contract
from yuanmai.funds.paying.wording import sentence
from yuanmai.projects.forms import ConfirmingForm
from yuanmai.projects.models import Project, ProjectState
from yuanmai.projects.queries import states

PAGE_SIZE = 50


def frame(request: HttpRequest) -> str:
    """Return the frame of the page as a query string."""
    return urlencode(request.view.parameters)  # type: ignore[attr-defined]


def yuan(amount: Decimal) -> str:
    """Return an amount in words of the active language."""
    return yuan_text(amount, chinese=chinese())


def tabs(request: HttpRequest, active: str) -> list[dict[str, Any]]:
    """Return the tabs above the lists, with what waits."""
    view = request.view  # type: ignore[attr-defined]
    unconfirmed = Certificate.objects.filter(
        contract__org_id__in=view.org_ids, retracted_at=None, confirmed_on=None
    ).count()
    open_changes = ChangeOfUse.objects.filter(
        org_id__in=view.org_ids, state__in=("draft", "reviewed")
    ).count()
    entries = (
        ("payments", _("Payments"), "cash", None),
        ("contracts", _("Contracts"), "file-certificate", None),
        ("certificates", _("Certificates to confirm"), "clipboard-check", unconfirmed or None),
        ("changes", _("Changes of use"), "transfer", open_changes or None),
        ("changes_statement", _("Changes by place and year"), "scale", None),
    )
    return [
        {
            "label": label,
            "url": f"{reverse(f'funds:{name}')}?{frame(request)}",
            "icon": icon,
            "active": name == active,
            "count": count,
        }
        for name, label, icon, count in entries
    ]


def names_of(query: Query, project_ids: Iterable[int]) -> dict[int, str]:
    """Return the names of projects as they stood (one query)."""
    return dict(states(query).filter(project_id__in=set(project_ids)).values_list("project_id", "name"))


def state_of(query: Query, project: Project) -> ProjectState | None:
    """Return a project as it stood."""
    return states(query).filter(project=project).select_related("project", "org").first()


def contract_or_404(uid: UUID) -> Contract:
    """Return a contract inside the user's data scope, also one that was taken back."""
    row = Contract.objects.select_related("project", "org", "use", "enterprise").filter(uid=uid).first()
    if row is None:
        raise Http404
    return row


def findings_of(org_id: int, project_id: int, keys: Iterable[str] | None = None) -> list[Finding]:
    """Return the open findings of the paying of a project; `keys` limits them."""
    from yuanmai.funds.findings.paying_kinds import OF_PAYING

    rows = Finding.objects.filter(org_id=org_id, kind__in=OF_PAYING, gone_until=KNOWN_FOREVER)
    rows = rows.exclude(state=Finding.State.RESOLVED).order_by("severity", "-effective_on", "id")
    if keys is not None:
        rows = rows.filter(key__in=list(keys))
    return [row for row in rows if row.params.get("project") == project_id]


@dataclass(frozen=True)
class Aside:
    """A line of the card beside a form: what there is, so that nobody needs to leave the page to look it up."""

    label: Text
    text: Any


def uploads(request: HttpRequest, name: str, kind: str) -> list[tuple[str, Any]]:
    """Return the files that came with a form under `name`, as an action takes them."""
    return [(kind, upload) for upload in request.FILES.getlist(name)]


def entry_page(
    request: HttpRequest,
    form: ConfirmingForm,
    save: Callable[[bool], tuple[str, Sequence[Verdict], str]],
    *,
    title: str,
    subtitle: str,
    cancel_url: str,
    crumbs: Sequence[tuple[str, str]],
    aside: Sequence[Aside] = (),
    drop: dict[str, Any] | None = None,
    submit: str = "",
    template: str = "funds/paying/form.html",
    **more: Any,
) -> HttpResponse:
    """Show a form and, when it was sent, carry it out.

    `save` gets whether warnings were confirmed, and returns (what to say, what was flagged, where to go). `drop` describes the
    field for files: `name`, `label`, `hint`, `multiple`.
    """
    if request.method == "POST" and form.is_valid():
        done = form.carry_out(save)
        if done is not None:
            text, flags, url = done
            messages.success(request, text)
            for verdict in flags:
                messages.warning(request, sentence(verdict))
            return HttpResponseRedirect(url)
    context = {
        "form": form,
        "title": title,
        "subtitle": subtitle,
        "cancel_url": cancel_url,
        "aside": aside,
        "drop": {"accept": ACCEPT, **drop} if drop else None,
        "submit": submit or _("Save"),
        "breadcrumbs": [
            *({"label": label, "url": url} for label, url in crumbs),
            {"label": title, "url": ""},
        ],
        **more,
    }
    status = 422 if form.errors or form.warnings else 200
    return render(request, template, context, status=status)


def project_crumbs(request: HttpRequest, project: Project, name: str) -> list[tuple[str, str]]:
    """Return the way from the payments of the place to a project's paying."""
    query = frame(request)
    return [
        (_("Payments"), f"{reverse('funds:payments')}?{query}"),
        (name, f"{reverse('funds:paying', args=[project.uid])}?{query}"),
    ]


def paying_url(request: HttpRequest, project: Project) -> str:
    """Return the page of a project's paying."""
    return f"{reverse('funds:paying', args=[project.uid])}?{frame(request)}"


def contract_page(request: HttpRequest, contract: Contract) -> str:
    """Return the page of a contract."""
    return f"{reverse('funds:contract', args=[contract.uid])}?{frame(request)}"
