"""What happens around signing in, written to the audit log; the log's failure stops the sign-in."""

from typing import Any

from allauth.account import signals as account_signals
from allauth.mfa import signals as mfa_signals
from axes.handlers.proxy import AxesProxyHandler
from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from yuanmai.core.actions import request_id
from yuanmai.core.audit.log import Entry, append
from yuanmai.core.policy import SystemActor
from yuanmai.people.addresses import client_address
from yuanmai.people.models import User
from yuanmai.people.sessions import begin


class _Visitor(SystemActor):
    """Somebody at the door: the account they claim, or the one they have just proved to be theirs."""


def leave(
    action: str,
    *,
    request: Any,
    user: User | None = None,
    name: str = "",
    result: str = "done",
    after: dict[str, Any] | None = None,
    rooms: tuple[str, ...] = (),
) -> None:
    """Write one entry about an account. These are no actions: nobody needs a right to knock at the door."""
    known = user is not None and user.pk is not None
    label = (
        f"{user.full_name} ({user.username})"
        if user and user.full_name
        else (user.username if user else name)
    )
    actor = _Visitor(
        name=label[:150],
        via="web",
        address=client_address(request),
        user_id=user.pk if user and known else None,
    )
    entry = Entry(
        action,
        user if known else None,
        user.org_id if user and known else None,
        after=after,
        result=result,
        target_name=name,
        rooms=rooms,
    )
    with transaction.atomic():
        append(actor, [entry], request_id.get())


@receiver(user_logged_in)
def signed_in(sender: Any, request: Any, user: User, **kwargs: Any) -> None:
    """Start the clocks of the session and note the sign-in."""
    begin(request, timezone.now())
    if user.one_time_until is not None and not user.must_change_password:
        User.objects.filter(pk=user.pk).update(one_time_until=None)
    leave("session.sign_in", request=request, user=user)


@receiver(user_logged_out)
def signed_out(sender: Any, request: Any, user: User | None, **kwargs: Any) -> None:
    """Note the sign-out."""
    if user is not None and getattr(user, "pk", None):
        leave("session.sign_out", request=request, user=user)


@receiver(user_login_failed)
def sign_in_failed(sender: Any, credentials: dict[str, Any], request: Any = None, **kwargs: Any) -> None:
    """Note a wrong password, with the account that was tried."""
    if request is not None and not getattr(request, "axes_locked_out", False):
        name = str(credentials.get("username") or "")[:150]
        user = User.objects.filter(username__iexact=name).first()
        leave("session.sign_in", request=request, user=user, name=name, result="failed")


@receiver(user_locked_out)
def locked_out(sender: Any, request: Any, username: str, **kwargs: Any) -> None:
    """Note that an account is locked after too many wrong passwords, or knocked at while it is."""
    user = User.objects.filter(username__iexact=username or "").first()
    leave("session.lock_out", request=request, user=user, name=str(username or "")[:150], result="refused")


@receiver(account_signals.password_changed)
@receiver(account_signals.password_set)
def password_changed(sender: Any, request: Any, user: User, **kwargs: Any) -> None:
    """The user chose a new password: nothing is to be changed any more."""
    User.objects.filter(pk=user.pk).update(must_change_password=False, one_time_until=None)
    user.must_change_password, user.one_time_until = False, None
    leave("session.change_password", request=request, user=user)


@receiver(mfa_signals.authenticator_added)
def factor_added(sender: Any, request: Any, user: User, authenticator: Any, **kwargs: Any) -> None:
    """A second factor was set up."""
    leave(
        "session.add_second_factor",
        request=request,
        user=user,
        after={"kind": authenticator.type},
        rooms=("people",),
    )


@receiver(mfa_signals.authenticator_removed)
def factor_removed(sender: Any, request: Any, user: User, authenticator: Any, **kwargs: Any) -> None:
    """A second factor was taken away."""
    leave(
        "session.remove_second_factor",
        request=request,
        user=user,
        after={"kind": authenticator.type},
        rooms=("people",),
    )


@receiver(mfa_signals.authenticator_reset)
def factor_reset(sender: Any, request: Any, user: User, authenticator: Any, **kwargs: Any) -> None:
    """New recovery codes were made."""
    leave("session.renew_recovery_codes", request=request, user=user, after={"kind": authenticator.type})


@receiver(mfa_signals.authentication_failed)
def factor_failed(sender: Any, request: Any, user: User, authenticator: Any, **kwargs: Any) -> None:
    """A wrong code was given: it counts towards the lock-out like a wrong password."""
    AxesProxyHandler.user_login_failed(sender, credentials={"username": user.username}, request=request)
    leave(
        "session.second_factor",
        request=request,
        user=user,
        result="failed",
        after={"kind": authenticator.type},
    )
