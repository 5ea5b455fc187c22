"""Signing in through an identity provider: a foreign one over real sockets, and forged answers that are all refused."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import oidc_provider_mock
import pytest
import requests
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

from tests.conftest import Orgs
from yuanmai.core.audit.models import AuditEntry
from yuanmai.people import oidc
from yuanmai.people.adapters import account_of
from yuanmai.people.models import User

pytestmark = pytest.mark.django_db
CALLBACK = "/account/oidc/login/callback/"


@pytest.fixture
def provider(settings: Any) -> Iterator[str]:
    """A provider in a process of its own thread, on a port of its own; ours is configured for it."""
    with oidc_provider_mock.run_server_in_thread() as server:
        issuer = f"http://localhost:{server.server_port}"
        settings.SOCIALACCOUNT_PROVIDERS = {
            "openid_connect": {
                "OAUTH_PKCE_ENABLED": True,
                "APPS": [
                    {
                        "provider_id": "oidc",
                        "name": "政务统一身份认证",
                        "client_id": "yuanmai",
                        "secret": "s3cret",
                        "settings": {"server_url": issuer, "fetch_userinfo": True},
                    }
                ],
            }
        }
        yield issuer


def knows(issuer: str, subject: str, **claims: Any) -> None:
    requests.put(f"{issuer}/users/{subject}", json=claims, timeout=5).raise_for_status()


def send_away(client: Client) -> tuple[str, dict[str, list[str]]]:
    answer = client.post("/account/oidc/login/", {"next": "/account/me/"})
    assert answer.status_code == 302, answer.content
    return answer["Location"], parse_qs(urlsplit(answer["Location"]).query)


def agree(location: str, subject: str) -> str:
    """The person agrees at the provider; returns the path and query they come back with."""
    answer = requests.post(location, data={"sub": subject}, allow_redirects=False, timeout=5)
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


def why() -> str:
    entry = AuditEntry.objects.filter(action="session.sign_in", result="failed").last()
    return str(entry.after["reason"]) if entry else ""


def test_an_account_is_found_by_its_name(provider: str, visitor: Client, make_user: Any, orgs: Orgs) -> None:
    user = make_user("leader", username="chen.xiao")
    knows(provider, "4711", preferred_username="Chen.Xiao")
    assert "政务统一身份认证" in visitor.get("/account/login/").content.decode()
    location, query = send_away(visitor)
    assert location.startswith(provider)
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["nonce"][0]) > 30
    assert "openid" in query["scope"][0]
    answer = visitor.get(agree(location, "4711"))
    assert answer.status_code == 302, why()
    assert answer["Location"] == "/account/me/"
    assert visitor.get("/account/me/").wsgi_request.user == user
    log = list(AuditEntry.objects.values_list("action", flat=True).order_by("sequence"))
    assert log[-2:] == ["session.connect_oidc", "session.sign_in"]

    visitor.post("/account/logout/")
    User.objects.filter(pk=user.pk).update(username="renamed")  # tied by subject from now on
    assert visitor.get(agree(send_away(visitor)[0], "4711"))["Location"] == "/account/me/"


def test_who_has_no_account_or_a_locked_one_stays_out(provider: str, visitor: Client, make_user: Any) -> None:
    make_user("leader", username="locked", is_active=False)
    knows(provider, "1", preferred_username="nobody")
    page = visitor.get(agree(send_away(visitor)[0], "1"))
    assert page.status_code == 403
    assert "nobody" in page.content.decode()
    assert not User.objects.filter(username="nobody").exists()
    knows(provider, "2", preferred_username="locked")
    assert visitor.get(agree(send_away(visitor)[0], "2")).status_code == 403
    assert visitor.get("/account/me/").status_code == 302
    assert AuditEntry.objects.filter(action="session.sign_in", result="failed").count() == 2


def test_an_account_locked_later_stays_out(provider: str, visitor: Client, make_user: Any) -> None:
    user = make_user("leader", username="chen")
    knows(provider, "3", preferred_username="chen")
    visitor.get(agree(send_away(visitor)[0], "3"))
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert visitor.get("/account/me/").status_code == 302
    assert visitor.get(agree(send_away(visitor)[0], "3")).status_code == 403


def test_a_wrong_state_is_refused(provider: str, visitor: Client, make_user: Any) -> None:
    make_user("leader", username="chen")
    knows(provider, "3", preferred_username="chen")
    back = agree(send_away(visitor)[0], "3")
    forged = back.replace("state=", "state=x")
    assert visitor.get(forged).status_code in (200, 401, 403)
    assert visitor.get("/account/me/").status_code == 302
    other = Client()  # somebody else's browser: the answer was not meant for it
    other.get(back)
    assert other.get("/account/me/").status_code == 302


def test_an_answer_is_good_once(provider: str, visitor: Client, make_user: Any) -> None:
    make_user("leader", username="chen")
    knows(provider, "3", preferred_username="chen")
    back = agree(send_away(visitor)[0], "3")
    assert visitor.get(back)["Location"] == "/account/me/"
    visitor.post("/account/logout/")
    visitor.get(back)
    assert visitor.get("/account/me/").status_code == 302


def test_a_wrong_nonce_is_refused(provider: str, visitor: Client, make_user: Any) -> None:
    make_user("leader", username="chen")
    knows(provider, "3", preferred_username="chen")
    back = agree(send_away(visitor)[0], "3")
    session = visitor.session
    session[oidc.NONCE] = "another"
    session.save()
    page = visitor.get(back)
    assert "did not confirm" in page.content.decode()
    assert visitor.get("/account/me/").status_code == 302
    assert why() == "OAuth2Error"


def test_a_token_for_another_party_is_refused(
    provider: str, visitor: Client, make_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user("leader", username="chen")
    knows(provider, "3", preferred_username="chen")
    back = agree(send_away(visitor)[0], "3")
    real = oidc.decode
    monkeypatch.setattr(
        oidc, "decode", lambda token, key, issuer, audience: real(token, key, issuer, "somebody-else")
    )
    visitor.get(back)
    assert visitor.get("/account/me/").status_code == 302
    back = agree(send_away(visitor)[0], "3")
    monkeypatch.setattr(
        oidc,
        "decode",
        lambda token, key, issuer, audience: real(token, key, "http://evil.example.com", audience),
    )
    visitor.get(back)
    assert visitor.get("/account/me/").status_code == 302


def test_refusing_at_the_provider_comes_back_to_a_page(
    provider: str, visitor: Client, make_user: Any
) -> None:
    make_user("leader")
    _location, query = send_away(visitor)
    answer = visitor.get(f"{CALLBACK}?error=access_denied&state={query['state'][0]}")
    assert answer["Location"] == "/account/oidc/cancelled/"
    assert visitor.get(answer["Location"]).status_code == 200


def test_a_provider_that_is_down_gives_a_reason(
    settings: Any, visitor: Client, make_user: Any, provider: str
) -> None:
    make_user("leader")
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["server_url"] = (
        "http://127.0.0.1:9"
    )
    page = visitor.post("/account/oidc/login/")
    assert page.status_code == 400
    assert "does not answer" in page.content.decode()


def test_without_a_provider_there_is_no_such_page(visitor: Client, make_user: Any) -> None:
    make_user("leader")
    assert visitor.post("/account/oidc/login/").status_code == 404
    assert visitor.get(CALLBACK).status_code == 404
    assert visitor.get("/account/other/login/callback/").status_code == 404


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def token(key: Any = KEY, algorithm: str = "RS256", **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": "https://idp.example.com",
        "aud": "yuanmai",
        "sub": "1",
        "iat": now,
        "exp": now + 60,
    } | changes
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, key, algorithm=algorithm)


def unsigned(**changes: Any) -> str:
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=").decode()
    return f"{head}.{token(**changes).split('.')[1]}."


def test_a_good_token_is_taken() -> None:
    assert oidc.decode(token(), KEY.public_key(), "https://idp.example.com", "yuanmai")["sub"] == "1"


@pytest.mark.parametrize(
    "forged",
    [
        token(OTHER),
        token("a-secret-of-at-least-thirty-two-bytes!!", "HS256"),
        unsigned(),
        token(aud="other"),
        token(aud=["other", "third"]),
        token(iss="https://evil.example.com"),
        token(exp=int(time.time()) - 120),
        token(iat=int(time.time()) + 3600),
        token(exp=None),
        token(aud=None),
        token(iss=None),
        token(sub=None),
        token(azp="other"),
        token()[:-6] + "AAAAAA",
        "not.a.token",
        "",
    ],
)
def test_a_forged_token_is_refused(forged: str) -> None:
    with pytest.raises(OAuth2Error):
        oidc.decode(forged, KEY.public_key(), "https://idp.example.com", "yuanmai")


@pytest.mark.parametrize(
    ("claims", "found"),
    [
        ({"email": "c@example.org", "email_verified": True}, True),
        ({"email": "C@EXAMPLE.ORG", "email_verified": True}, True),
        ({"email": "c@example.org", "email_verified": False}, False),
        ({"email": "c@example.org", "email_verified": "true"}, False),
        ({"email": "c@example.org"}, False),
        ({"preferred_username": "chen"}, False),
        ({"email": "twice@example.org", "email_verified": True}, False),
        ({}, False),
    ],
)
def test_an_address_counts_only_when_verified_and_unambiguous(
    claims: dict[str, Any], found: bool, settings: Any, make_user: Any
) -> None:
    settings.OIDC_CLAIM = "email"
    make_user("leader", username="chen", email="c@example.org")
    for name in ("one", "two"):
        make_user("leader", username=name, email="twice@example.org")
    assert (account_of(claims)[0] is not None) is found
