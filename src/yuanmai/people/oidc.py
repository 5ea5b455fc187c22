"""Signing in through the identity provider that the installation is configured for (OpenID Connect, code flow with PKCE).

Stricter than the library's own views: the ID token's signature is always checked against the provider's keys, with
asymmetric algorithms only, and its nonce must be the one this browser was sent away with. Mix-up of providers is excluded:
there is one provider, and the token's issuer and audience must be it and us.
"""

import hmac
import secrets
from typing import Any

import jwt
from allauth.account.internal.decorators import login_not_required
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from requests import RequestException

PROVIDER = "oidc"
NONCE = "oidc_nonce"
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


def configured() -> bool:
    """Whether this installation has an identity provider."""
    return "openid_connect" in settings.SOCIALACCOUNT_PROVIDERS


class Adapter(OpenIDConnectOAuth2Adapter):
    """The library's adapter with the checks that it leaves out."""

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """Refuse an answer without an ID token; then go on as the library does."""
        if not kwargs["response"].get("id_token"):
            raise OAuth2Error("no ID token")
        return super().complete_login(request, app, token, **kwargs)

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        nonce = self.request.session.pop(NONCE, None)
        claims = decode(id_token, self._key_of(id_token), self.openid_config["issuer"], app.client_id)
        if not nonce or not hmac.compare_digest(str(claims.get("nonce") or ""), nonce):
            raise OAuth2Error("wrong nonce")
        return claims

    def _key_of(self, id_token: str) -> Any:
        """Return the provider's key that the token names; raises `OAuth2Error` where it has none like that."""
        try:
            wanted = jwt.get_unverified_header(id_token).get("kid")
            with get_adapter().get_requests_session() as session:
                answer = session.get(self.openid_config["jwks_uri"], timeout=10)
                answer.raise_for_status()
                keys = jwt.PyJWKSet.from_dict(answer.json()).keys
        except (jwt.PyJWTError, ValueError, AttributeError) as error:
            raise OAuth2Error("unreadable key set or token") from error
        fitting = [
            key for key in keys if key.public_key_use in (None, "sig") and wanted in (None, key.key_id)
        ]
        if len(fitting) != 1:
            raise OAuth2Error("no key for this token")
        return fitting[0].key


def decode(id_token: str, key: Any, issuer: str, audience: str) -> dict[str, Any]:
    """Return the claims of a token that is signed with `key`, from `issuer`, for `audience`, and neither old nor early."""
    try:
        claims: dict[str, Any] = jwt.decode(
            id_token,
            key=key,
            algorithms=ALGORITHMS,
            issuer=issuer,
            audience=audience,
            leeway=30,
            options={"require": ["iss", "aud", "exp", "iat", "sub"]},
        )
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        raise OAuth2Error(f"refused ID token: {error}") from error
    if claims.get("azp") not in (None, audience):
        raise OAuth2Error("token for another party")
    return claims


@never_cache
@require_POST
@login_not_required
def sign_in(request: HttpRequest) -> HttpResponse:
    """Send the browser to the identity provider."""
    if not configured():
        raise Http404
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        target = ""
    nonce = secrets.token_urlsafe(32)
    request.session[NONCE] = nonce
    provider = Adapter(request, PROVIDER).get_provider()
    try:
        answer: HttpResponse = provider.redirect(
            request, process=AuthProcess.LOGIN, next_url=target or None, auth_params={"nonce": nonce}
        )
    except RequestException as error:
        raise BadRequest(
            _("The identity provider does not answer. Sign in with account and password, or try later.")
        ) from error
    return answer


@never_cache
@require_GET
@login_not_required
def returned(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Take the browser back from the identity provider."""
    if not configured() or provider_id != PROVIDER:
        raise Http404
    try:
        view = OAuth2CallbackView.adapter_view(Adapter(request, PROVIDER))
        answer: HttpResponse = view(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    except RequestException as error:
        raise BadRequest(
            _("The identity provider does not answer. Sign in with account and password, or try later.")
        ) from error
    return answer
