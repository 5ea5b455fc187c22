"""Pages of the bulletins: choose and preview, download, issue; the issued ones and one of them."""

from typing import Any
from urllib.parse import quote, urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from yuanmai.cockpit.bulletins.actions import again, issue_bulletin
from yuanmai.cockpit.bulletins.build import Made, NotYet, build, last_day, today_of
from yuanmai.cockpit.bulletins.forms import ChoiceForm, IssueForm
from yuanmai.cockpit.bulletins.period import period_of
from yuanmai.cockpit.bulletins.preview import preview
from yuanmai.cockpit.bulletins.text_of import digest
from yuanmai.cockpit.models import Bulletin
from yuanmai.cockpit.permissions import ISSUE_BULLETINS, SEE_COCKPIT
from yuanmai.core.documents import Document, to_pdf, to_word
from yuanmai.core.figures.display import chinese
from yuanmai.core.web import page
from yuanmai.funds.permissions import SEE_FUNDS
from yuanmai.people.models import Organisation
from yuanmai.people.view_context import ViewContext

PER_PAGE = 20
TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}


def _choice(request: HttpRequest) -> dict[str, str]:
    """What is asked for: from the address, else the month of the page's day, in the language of the page."""
    view: ViewContext = request.view  # type: ignore[attr-defined]
    kind = request.GET.get("kind", "month")
    if kind not in Bulletin.Kind.values:
        raise BadRequest(_("There is no such kind of bulletin."))
    return {
        "kind": kind,
        "period": request.GET.get("period") or period_of(kind, view.as_of).text,
        "language": request.GET.get("language") or ("zh" if chinese() else "en"),
    }


def _org(request: HttpRequest) -> Organisation:
    view: ViewContext = request.view  # type: ignore[attr-defined]
    if view.org is None:
        raise Http404
    return Organisation.objects.get(pk=view.org.id)


def _made(request: HttpRequest, form: ChoiceForm, org: Organisation) -> Made:
    """The draft by the page's knowledge; it speaks of the page's day where that lies in the period."""
    view: ViewContext = request.view  # type: ignore[attr-defined]
    period = form.parsed
    day = view.as_of if period.start <= view.as_of <= period.end else last_day(period, today_of(org))
    return build(
        org,
        view.org_ids,
        period,
        language=form.cleaned_data["language"],
        as_of=day,
        known_at=view.known_at,
        with_funds=request.actor.why_not(SEE_FUNDS) is None,  # type: ignore[attr-defined]
    )


@page(SEE_COCKPIT)
@require_GET
def bulletins(request: HttpRequest) -> HttpResponse:
    """Choose a bulletin, preview it, download or issue it; below, those that were issued."""
    view: ViewContext = request.view  # type: ignore[attr-defined]
    org = _org(request)
    choice = _choice(request)
    form = ChoiceForm(choice)
    made = None
    if form.is_valid():
        try:
            made = _made(request, form, org)
        except NotYet:
            form.add_error("period", _("The period has not begun yet."))
    issued = Bulletin.objects.filter(org_id__in=view.org_ids).select_related("org", "issued_by")
    rows = Paginator(issued.defer("word", "pdf", "text"), PER_PAGE).get_page(request.GET.get("page"))
    query = urlencode({**view.parameters, **choice})
    context = {
        "form": form,
        "sheet": preview(made.document) if made else None,
        "made": made,
        "word_url": f"{reverse('cockpit:bulletin_draft', args=['docx'])}?{query}",
        "pdf_url": f"{reverse('cockpit:bulletin_draft', args=['pdf'])}?{query}",
        "why_not": request.actor.why_not(ISSUE_BULLETINS, org.pk),  # type: ignore[attr-defined]
        "issue_form": IssueForm(initial=_initial(choice, made), auto_id="issue_%s") if made else None,
        "page_obj": rows,
    }
    return render(request, "cockpit/bulletins.html", context, status=200 if form.is_valid() else 422)


def _initial(choice: dict[str, str], made: Made) -> dict[str, Any]:
    document = made.document
    return {
        **choice,
        "number": document.number,
        "mark": document.mark,
        "addressee": document.addressee,
        "signature": document.signature,
        "signed_on": document.signed_on,
    }


@page(SEE_COCKPIT)
@require_GET
def draft(request: HttpRequest, extension: str) -> HttpResponse:
    """Download the bulletin as it would be issued now."""
    form = ChoiceForm(_choice(request))
    if not form.is_valid():
        raise BadRequest("; ".join(str(text) for texts in form.errors.values() for text in texts))
    try:
        made = _made(request, form, _org(request))
    except NotYet:
        raise BadRequest(_("The period has not begun yet.")) from None
    return _file(_written(made.document, extension), made.document.title, extension)


def _written(document: Document, extension: str) -> bytes:
    return to_word(document) if extension == "docx" else to_pdf(document)


def _file(content: bytes, title: str, extension: str) -> HttpResponse:
    response = HttpResponse(content, content_type=TYPES[extension])
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(title)}.{extension}"
    return response


@page(ISSUE_BULLETINS)
@require_http_methods(["POST"])
def issue(request: HttpRequest) -> HttpResponse:
    """Issue the bulletin."""
    view: ViewContext = request.view  # type: ignore[attr-defined]
    form = IssueForm(request.POST)
    if not form.is_valid():
        raise BadRequest("; ".join(str(text) for texts in form.errors.values() for text in texts))
    try:
        bulletin = issue_bulletin(
            request.actor,  # type: ignore[attr-defined]
            _org(request),
            view.org_ids,
            form.parsed,
            language=form.cleaned_data["language"],
            head=form.head,
            with_funds=request.actor.why_not(SEE_FUNDS) is None,  # type: ignore[attr-defined]
        )
    except ValidationError as error:
        raise BadRequest("; ".join(error.messages)) from None
    messages.success(request, _("The bulletin is issued."))
    return redirect("cockpit:bulletin", uid=bulletin.uid)


def _issued(request: HttpRequest, uid: Any) -> Bulletin:
    """An issued bulletin of an organisation that the actor may see; the data scope hides the others."""
    ids = request.actor.org_ids(SEE_COCKPIT)  # type: ignore[attr-defined]
    found = Bulletin.objects.filter(org_id__in=ids, uid=uid).select_related("org", "issued_by").first()
    if found is None:
        raise Http404
    return found


@page(SEE_COCKPIT)
@require_GET
def bulletin(request: HttpRequest, uid: Any) -> HttpResponse:
    """One issued bulletin: what it was computed from, and whether the ledger still gives it letter by letter."""
    found = _issued(request, uid)
    made = again(found)
    context = {
        "bulletin": found,
        "same": digest(made.document) == found.text_digest,
        "sheet": preview(made.document),
        "breadcrumbs": [
            {"label": _("Bulletins"), "url": reverse("cockpit:bulletins")},
            {"label": found.title, "url": ""},
        ],
    }
    return render(request, "cockpit/bulletin.html", context)


@page(SEE_COCKPIT)
@require_GET
def download(request: HttpRequest, uid: Any, extension: str) -> HttpResponse:
    """The file as it was issued."""
    found = _issued(request, uid)
    return _file(bytes(found.word if extension == "docx" else found.pdf), found.title, extension)
