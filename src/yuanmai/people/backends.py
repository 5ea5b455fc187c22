"""Who may sign in: the active, and the demonstration's accounts only while the demonstration is on.

Their password is published, so leaving demonstration mode must shut them out at once: no new sign-in, no session, no token.
"""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings
from django.contrib.auth.backends import ModelBackend

from yuanmai.people.models import User


def may_sign_in(user: User) -> bool:
    """Whether an account opens any door: it is not locked, and no demonstration account outside of demonstration mode."""
    return bool(user.is_active) and (settings.DEMO or not user.is_demo)


class _NoDemonstration:
    """Asked at the sign-in, and again with every request of a session (`get_user`)."""

    def user_can_authenticate(self, user: Any) -> bool:
        """Whether this account may sign in, or stay signed in."""
        return may_sign_in(user)


class PasswordBackend(_NoDemonstration, ModelBackend):
    """Account name and password."""


class SignInBackend(_NoDemonstration, AuthenticationBackend):
    """The sign-in pages: password, security key, identity provider."""
