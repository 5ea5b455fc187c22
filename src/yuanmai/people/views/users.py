"""Pages of accounts and posts."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from yuanmai.core.audit.queries import history_of
from yuanmai.core.permissions import SEE_AUDIT
from yuanmai.core.web import page
from yuanmai.people import actions, permissions, queries
from yuanmai.people.forms import PostForm, UserFilter, UserForm, take_errors
from yuanmai.people.lockout import locked_until
from yuanmai.people.models import Post, User
from yuanmai.people.passwords import has_second_factor


def _found(request: HttpRequest, pk: int) -> User:
    return get_object_or_404(queries.users(request.actor), pk=pk)  # type: ignore[attr-defined]


@page(permissions.SEE_ORGANISATIONS)
def user_list(request: HttpRequest) -> HttpResponse:
    """Accounts within the reader's scope."""
    actor = request.actor  # type: ignore[attr-defined]
    form = UserFilter(request.GET, actor=actor)
    rows = queries.users(actor)
    if form.is_valid():
        data = form.cleaned_data
        rows = queries.search_users(
            rows, text=data["q"], org=data["at"], role=data["role"], state=data["state"]
        )
    page_obj = Paginator(rows, 50).get_page(request.GET.get("page"))
    keeps = actor.why_not(permissions.MANAGE_USERS) is None
    context = {
        "form": form,
        "page_obj": page_obj,
        "locked": queries.locked_names() if keeps else set(),
        "keeps": keeps,
        "grants": actor.why_not(permissions.GRANT_ROLES) is None,
    }
    return render(request, "people/user_list.html", context)


@page(permissions.MANAGE_USERS)
@never_cache
def user_add(request: HttpRequest) -> HttpResponse:
    """Add an account; its one-time password is shown once."""
    actor = request.actor  # type: ignore[attr-defined]
    chosen = request.view.org  # type: ignore[attr-defined]
    form = UserForm(request.POST or None, actor=actor, initial={"org": chosen.id if chosen else None})
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        org = values.pop("org")
        try:
            user, password = actions.add_user(actor, org_code=org.code, **values)
        except ValidationError as error:
            take_errors(form, error)
        else:
            return render(
                request, "people/one_time_password.html", {"person": user, "password": password, "new": True}
            )
    return render(request, "people/user_form.html", {"form": form})


@page(permissions.SEE_ORGANISATIONS)
def user(request: HttpRequest, pk: int) -> HttpResponse:
    """One account: posts, state, what can be done, and what was done."""
    actor = request.actor  # type: ignore[attr-defined]
    person = _found(request, pk)
    return _record(request, actor, person)


def _record(
    request: HttpRequest, actor: Any, person: User, post_form: PostForm | None = None
) -> HttpResponse:
    today = timezone.localdate()
    keeps = actor.why_not(permissions.MANAGE_USERS, person.org_id) is None
    grants = actor.why_not(permissions.GRANT_ROLES) is None
    own = actor.user_id == person.pk
    may_read_log = actor.why_not(SEE_AUDIT) is None
    context = {
        "person": person,
        "own": own,
        "keeps": keeps,
        "grants": grants and not own,
        "grants_self": grants and own,
        "posts": [
            {
                "post": post,
                "held": (not post.since or post.since <= today) and (not post.until or post.until > today),
            }
            for post in person.posts.all()
        ],
        "locked_until": locked_until(person.username) if keeps else None,
        "second_factor": has_second_factor(person) if keeps or grants or own else None,
        "post_form": post_form or (PostForm(actor=actor) if grants and not own else None),
        "edit_form": UserForm(actor=actor, user=person) if keeps else None,
        "history": history_of(actor, person, 20) if may_read_log else None,
    }
    return render(request, "people/user.html", context)


@page(permissions.MANAGE_USERS)
@require_POST
def user_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change name, phone, e-mail, place of work."""
    actor = request.actor  # type: ignore[attr-defined]
    person = _found(request, pk)
    form = UserForm(request.POST, actor=actor, user=person)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect("people:user", pk=pk)
    return _do(request, pk, lambda: actions.edit_user(actor, person, **form.cleaned_data), _("Saved."))


def _do(request: HttpRequest, pk: int, change: Any, done: str) -> HttpResponse:
    try:
        change()
        messages.success(request, done)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("people:user", pk=pk)


@page(permissions.MANAGE_USERS)
@require_POST
def user_lock(request: HttpRequest, pk: int) -> HttpResponse:
    """Lock an account."""
    actor, person = request.actor, _found(request, pk)  # type: ignore[attr-defined]
    reason = request.POST.get("reason", "")[:200]
    return _do(
        request,
        pk,
        lambda: actions.lock_user(actor, person, reason=reason),
        _("Locked. Running sessions end now."),
    )


@page(permissions.MANAGE_USERS)
@require_POST
def user_unlock(request: HttpRequest, pk: int) -> HttpResponse:
    """Open an account again."""
    actor, person = request.actor, _found(request, pk)  # type: ignore[attr-defined]
    return _do(request, pk, lambda: actions.unlock_user(actor, person), _("Unlocked."))


@page(permissions.MANAGE_USERS)
@require_POST
@never_cache
def user_reset(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a one-time password and show it once."""
    actor, person = request.actor, _found(request, pk)  # type: ignore[attr-defined]
    try:
        password = actions.reset_password(actor, person)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("people:user", pk=pk)
    return render(
        request, "people/one_time_password.html", {"person": person, "password": password, "new": False}
    )


@page(permissions.MANAGE_USERS)
@require_POST
def user_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """Take away a lost second factor."""
    actor, person = request.actor, _found(request, pk)  # type: ignore[attr-defined]
    return _do(
        request, pk, lambda: actions.remove_second_factor(actor, person), _("The second factor was removed.")
    )


@page(permissions.GRANT_ROLES)
@require_POST
def post_give(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a post."""
    actor, person = request.actor, _found(request, pk)  # type: ignore[attr-defined]
    form = PostForm(request.POST, actor=actor)
    if form.is_valid():
        try:
            actions.give_post(actor, person, **form.cleaned_data)
        except ValidationError as error:
            take_errors(form, error)
        else:
            messages.success(request, _("The post was given; it counts from the next request on."))
            return redirect("people:user", pk=pk)
    response = _record(request, actor, person, form)
    response.status_code = 422
    return response


@page(permissions.GRANT_ROLES)
@require_POST
def post_take(request: HttpRequest, pk: int, post_pk: int) -> HttpResponse:
    """Take a post away."""
    actor, person = request.actor, _found(request, pk)  # type: ignore[attr-defined]
    post = get_object_or_404(Post.objects.select_related("user", "role", "org"), pk=post_pk, user=person)
    return _do(
        request, pk, lambda: actions.take_post(actor, post), _("The post was taken away; it counts no more.")
    )
