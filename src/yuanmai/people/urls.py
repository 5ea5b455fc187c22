"""Addresses of the people room. Of the library's pages only those are mounted that are used; each says who may see it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.socialaccount import views as social
from allauth.usersessions import views as usersessions
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, include, path

from yuanmai.core.web import page, public_page
from yuanmai.people import oidc
from yuanmai.people.views import account as own
from yuanmai.people.views import organisations, roles, setup, subscriptions, users


def mount(route: str, view: Callable[..., Any], name: str, public: str = "") -> URLPattern:
    """Mount a library's view: for signed-in users, or (`public`: why) for everybody."""

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = view(request, *args, **kwargs)
        return response

    shown.__module__, shown.__qualname__ = __name__, name
    return path(route, public_page(public)(shown) if public else page()(shown), name=name)


DOOR = "one has to sign in somewhere"

library = [
    mount("login/", account.login, "account_login", DOOR),
    mount("logout/", account.logout, "account_logout", "signing out needs no right"),
    mount("inactive/", account.account_inactive, "account_inactive", DOOR),
    mount("reauthenticate/", account.reauthenticate, "account_reauthenticate"),
    mount("password/change/", account.password_change, "account_change_password"),
    mount("2fa/", mfa.index, "mfa_index"),
    mount("2fa/authenticate/", mfa.authenticate, "mfa_authenticate", "the second step of signing in"),
    mount("2fa/reauthenticate/", mfa.reauthenticate, "mfa_reauthenticate"),
    mount("2fa/totp/activate/", totp.activate_totp, "mfa_activate_totp"),
    mount("2fa/totp/deactivate/", totp.deactivate_totp, "mfa_deactivate_totp"),
    mount("2fa/recovery-codes/", recovery.view_recovery_codes, "mfa_view_recovery_codes"),
    mount("2fa/recovery-codes/generate/", recovery.generate_recovery_codes, "mfa_generate_recovery_codes"),
    mount("2fa/recovery-codes/download/", recovery.download_recovery_codes, "mfa_download_recovery_codes"),
    mount("2fa/keys/", webauthn.list_webauthn, "mfa_list_webauthn"),
    mount("2fa/keys/add/", webauthn.add_webauthn, "mfa_add_webauthn"),
    mount("2fa/keys/reauthenticate/", webauthn.reauthenticate_webauthn, "mfa_reauthenticate_webauthn"),
    mount("2fa/keys/<int:pk>/remove/", webauthn.remove_webauthn, "mfa_remove_webauthn"),
    mount("2fa/keys/<int:pk>/edit/", webauthn.edit_webauthn, "mfa_edit_webauthn"),
    mount("sessions/", usersessions.list_usersessions, "usersessions_list"),
    mount("oidc/cancelled/", social.login_cancelled, "socialaccount_login_cancelled", DOOR),
    mount("oidc/error/", social.login_error, "socialaccount_login_error", DOOR),
    mount("oidc/login/", oidc.sign_in, "oidc_login", DOOR),
    # The library builds the address to return to from this name and the provider's id.
    path(
        "<slug:provider_id>/login/callback/",
        public_page("the identity provider sends people back here")(oidc.returned),
        name="openid_connect_callback",
    ),
]

pages = [
    path("setup/", setup.first_run, name="setup"),
    path("account/me/", own.me, name="me"),
    path("account/rights/", own.rights, name="rights"),
    path("account/required/", own.required, name="required"),
    path("account/tokens/", own.tokens, name="tokens"),
    path("account/tokens/<int:pk>/revoke/", own.token_revoke, name="token_revoke"),
    path("account/subscriptions/", subscriptions.index, name="subscriptions"),
    path("account/subscriptions/<int:pk>/end/", subscriptions.end, name="subscription_end"),
    path("calendar/<str:text>.ics", subscriptions.calendar, name="todo_calendar"),
    path("account/sessions/<int:pk>/end/", own.session_end, name="session_end"),
    path("manage/organisations/", organisations.organisation_list, name="organisations"),
    path("manage/organisations/new/", organisations.organisation_add, name="organisation_add"),
    path("manage/organisations/<slug:code>/", organisations.organisation, name="organisation"),
    path("manage/organisations/<slug:code>/move/", organisations.organisation_move, name="organisation_move"),
    path(
        "manage/organisations/<slug:code>/active/",
        organisations.organisation_active,
        name="organisation_active",
    ),
    path("manage/users/", users.user_list, name="users"),
    path("manage/users/new/", users.user_add, name="user_add"),
    path("manage/users/<int:pk>/", users.user, name="user"),
    path("manage/users/<int:pk>/edit/", users.user_edit, name="user_edit"),
    path("manage/users/<int:pk>/lock/", users.user_lock, name="user_lock"),
    path("manage/users/<int:pk>/unlock/", users.user_unlock, name="user_unlock"),
    path("manage/users/<int:pk>/reset/", users.user_reset, name="user_reset"),
    path("manage/users/<int:pk>/factor/", users.user_factor, name="user_factor"),
    path("manage/users/<int:pk>/posts/", users.post_give, name="post_give"),
    path("manage/users/<int:pk>/posts/<int:post_pk>/take/", users.post_take, name="post_take"),
    path("manage/roles/", roles.role_list, name="roles"),
    path("manage/roles/<slug:code>/", roles.role, name="role"),
    path("manage/roles/<slug:code>/second-factor/", roles.role_second_factor, name="role_second_factor"),
]

urlpatterns = [
    path("", include((pages, "people"))),
    path("account/", include(library)),
]
