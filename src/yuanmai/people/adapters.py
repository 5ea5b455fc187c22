"""How sign-in behaves: no self-registration, our pages, one identity provider by configuration."""

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from yuanmai.people.addresses import client_address
from yuanmai.people.backends import may_sign_in
from yuanmai.people.models import Post, User
from yuanmai.people.receivers import leave
from yuanmai.people.sessions import STARTED


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by the system administrator, not by visitors."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address as the rest of the program sees it."""
        return client_address(request) or "::"

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """After a new password, on with the work."""
        return str(settings.LOGIN_REDIRECT_URL)

    def is_reauthentication_required(self, *, app: str) -> bool:
        """Ask again before security settings change, but not who signed in just now, with all their factors.

        Nor who has nothing to be asked for, because they sign in through the identity provider.
        """
        request = context.request
        if not super().is_reauthentication_required(app=app):
            return False
        if not self.get_reauthentication_methods(request.user):
            return False
        fresh = timezone.now().timestamp() - float(request.session.get(STARTED) or 0)
        return fresh > settings.ACCOUNT_REAUTHENTICATION_TIMEOUT

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Refuse a one-time password that was left lying too long."""
        if (
            user.one_time_until is not None
            and user.must_change_password
            and timezone.now() >= user.one_time_until
        ):
            leave(
                "session.sign_in",
                request=request,
                user=user,
                result="failed",
                after={"reason": "one-time password"},
            )
            messages.error(
                request,
                _("This one-time password is no longer valid. Ask your system administrator for a new one."),
            )
            return HttpResponseRedirect(reverse("account_login"))
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response


class MFAAdapter(DefaultMFAAdapter):
    """Second factors: their secrets are encrypted with the installation's key, and a required one is not taken off."""

    @staticmethod
    def _box() -> Fernet:
        key = hashlib.sha256(b"second factor\n" + settings.SECRET_KEY.encode()).digest()
        return Fernet(base64.urlsafe_b64encode(key))

    def encrypt(self, text: str) -> str:
        """Encrypt a secret for the database."""
        return self._box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt a secret from the database."""
        return self._box().decrypt(encrypted_text.encode()).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """The last factor stays while a role asks for one."""
        kinds = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
        others = Authenticator.objects.filter(user=authenticator.user, type__in=kinds).exclude(
            pk=authenticator.pk
        )
        if others.exists():
            return True
        today = timezone.localdate()
        return not Post.objects.filter(
            Post.held_on(today), user=authenticator.user, role__second_factor=True
        ).exists()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The name that a security key shows."""
        return {**super().get_public_key_credential_rp_entity(), "name": "Yuanmai 园脉"}


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """OIDC signs in people who already have an account here."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Nobody signs up."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Tie the provider's person to the account here that the configured claim names; refuse who has none."""
        if sociallogin.state.get("process") != "login":
            raise ImmediateHttpResponse(self._refused(request, "", "process"))
        claims = claims_of(sociallogin)
        if sociallogin.is_existing:
            if not may_sign_in(sociallogin.user):
                raise ImmediateHttpResponse(self._refused(request, sociallogin.user.username, "locked"))
            return
        user, name = account_of(claims)
        if user is None or not may_sign_in(user):
            raise ImmediateHttpResponse(self._refused(request, name, "unknown" if user is None else "locked"))
        sociallogin.connect(request, user)
        leave("session.connect_oidc", request=request, user=user, after={"subject": claims.get("sub")})

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Any = None,
        extra_context: Any = None,
    ) -> None:
        """Note it; the visitor sees the general page."""
        reason = type(exception).__name__ if exception is not None else str(error or "")
        leave(
            "session.sign_in", request=request, name="OIDC", result="failed", after={"reason": reason[:200]}
        )

    def _refused(self, request: HttpRequest, name: str, reason: str) -> HttpResponse:
        leave(
            "session.sign_in",
            request=request,
            name=name[:150],
            result="failed",
            after={"reason": f"OIDC: {reason}"},
        )
        return render(request, "people/oidc_refused.html", {"name": name}, status=403)


def claims_of(sociallogin: Any) -> dict[str, Any]:
    """Return the claims of the ID token with those of the user-info answer, which must be about the same subject."""
    data = sociallogin.account.extra_data or {}
    token, info = data.get("id_token") or {}, data.get("userinfo") or {}
    if info and token and info.get("sub") != token.get("sub"):
        return dict(token)
    return {**info, **token}


def account_of(claims: dict[str, Any]) -> tuple[User | None, str]:
    """Return the account that the claim ``YUANMAI_OIDC_CLAIM`` names, and the claim's value.

    An e-mail address counts only when the provider says that it verified it, and when it is unambiguous here.
    """
    claim = settings.OIDC_CLAIM
    value = str(claims.get(claim) or "").strip()
    if not value:
        return None, ""
    if claim == "email":
        if claims.get("email_verified") is not True:
            return None, value
        found = list(User.objects.filter(email__iexact=value)[:2])
        return (found[0] if len(found) == 1 else None), value
    return User.objects.filter(username__iexact=value).first(), value
