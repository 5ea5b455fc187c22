"""Every page, as every role: it comes, it holds no inline style or script, and it asks no outside host for anything.

The crawler starts at the home page and follows every link inside; so a new page is covered as soon as something links to it.
"""

from __future__ import annotations

import re
from collections import deque
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.urls import get_resolver

from yuanmai.core.web import PAGES
from yuanmai.people.presets_loader import role_presets

ROLES = [role["code"] for role in role_presets()]
AT_MOST = 30  # pages per role
DATA_TYPES = {"application/json", "application/ld+json", "speculationrules"}
# What is downloaded, or signs out, or repeats one page with every value of a parameter.
NOT_FOLLOWED = re.compile(
    r"^/(static/|account/logout|api/)|\.(xlsx|docx|pdf|csv|json|geojson)$|/(export|download)"
)


class Page(HTMLParser):
    """What is wrong in a page, and where it leads."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.title = ""
        self._in: str = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._in = tag
        if "style" in values:
            self.faults.append(f"<{tag} style={values['style']!r}>: the policy forbids inline styles")
        for name in values:
            if name.startswith(("on", "hx-on", "@", "x-on")):
                self.faults.append(f"<{tag} {name}>: the policy forbids inline handlers")
        if tag == "style":
            self.faults.append("<style>: the policy forbids inline styles")
        if tag == "script" and "src" not in values and values.get("type", "") not in DATA_TYPES:
            self.faults.append("<script> without src: the policy forbids inline scripts")
        if tag == "img" and "alt" not in values:
            self.faults.append(f"<img src={values.get('src')!r}> without alt")
        for name in ("src", "href", "action", "data-src", "data-url", "poster", "srcset"):
            address = values.get(name, "")
            if address.startswith("javascript:"):
                self.faults.append(f"<{tag} {name}={address!r}>")
            if tag != "a" and re.match(r"(https?:)?//", address):
                self.faults.append(f"<{tag} {name}={address!r}>: an outside host")
        if identity := values.get("id"):
            self.ids.append(identity)
        if tag == "a" and values.get("href"):
            if re.match(r"(https?:)?//", values["href"]):
                self.faults.append(f"a link leads outside: {values['href']}")
            self.links.append(values["href"])

    def handle_data(self, data: str) -> None:
        if self._in == "title":
            self.title += data.strip()
            self._in = ""


def crawl(client: Any) -> dict[str, Page]:
    """Visit what the home page leads to; fails at a page that does not come."""
    seen: dict[str, Page] = {}
    waiting = deque(["/"])
    known = {"/"}
    shapes: dict[str, int] = {}
    while waiting and len(seen) < AT_MOST:
        path = waiting.popleft()
        answer = client.get(path, follow=True)
        assert answer.status_code == 200, f"{path} answered {answer.status_code}, and a page links to it"
        if not answer.get("Content-Type", "").startswith("text/html"):
            continue
        policy = answer["Content-Security-Policy"]
        assert "unsafe" not in policy and "default-src 'self'" in policy and "http:" not in policy
        page = Page()
        page.feed(answer.content.decode())
        seen[path] = page
        for link in page.links:
            target = urljoin(path, link).split("#")[0]
            shape = re.sub(r"[0-9a-f-]{8,}|\d+", "N", urlsplit(target).path)
            if target in known or NOT_FOLLOWED.search(urlsplit(target).path) or not target.startswith("/"):
                continue
            # Of pages that differ in a parameter only, two are enough.
            if shapes.get(shape, 0) >= 2:
                continue
            shapes[shape] = shapes.get(shape, 0) + 1
            known.add(target)
            waiting.append(target)
    return seen


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_every_page_that_a_role_reaches(role: str, orgs, make_user, make_project, client_as) -> None:
    make_project(orgs.north, "<b>南园</b>&\"'厂房", plan=100, done=20, started=True, lists=["市重点"])
    make_project(orgs.north, "第二个项目", kind="continuing", plan=100, done=120, resumed=True)
    user = make_user(role, orgs.city)
    if role.endswith("administrator"):
        _second_factor(user)
    client = client_as(user, language="zh-CN")
    pages = crawl(client)
    faults = {path: page.faults for path, page in pages.items() if page.faults}
    assert faults == {}
    doubled = {p: sorted({i for i in page.ids if page.ids.count(i) > 1}) for p, page in pages.items()}
    assert {p: ids for p, ids in doubled.items() if ids} == {}
    assert [path for path, page in pages.items() if not page.title] == []
    assert len(pages) > (1 if role == "enterprise_user" else 3)


def _second_factor(user: Any) -> None:
    """Roles that must have a second factor get one, or they would see one page only."""
    from allauth.mfa.models import Authenticator

    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})


def test_every_address_of_ours_declares_who_may_see_it() -> None:
    """A view that is neither @page nor @public_page nor an operation of the API is open to everybody."""
    loose = []

    def walk(entries: list[Any], prefix: str = "") -> None:
        for entry in entries:
            route = prefix + str(entry.pattern)
            if hasattr(entry, "url_patterns"):
                walk(entry.url_patterns, route)
                continue
            view = getattr(entry.callback, "func", entry.callback)
            module = getattr(view, "__module__", "")
            if module.startswith("yuanmai.") and getattr(entry.callback, "page", None) is None:
                loose.append(route)

    walk(get_resolver().url_patterns)
    assert loose == []
    assert PAGES


@pytest.mark.django_db
def test_without_signing_in_every_page_leads_to_the_door(client_as, make_user) -> None:
    make_user("leader")
    client = client_as(None)
    shown = []
    for entry in _simple_addresses():
        answer = client.get(entry, headers={"x-forwarded-for": "192.0.2.1"})
        if answer.status_code == 200:
            shown.append(entry)
        else:
            assert answer.status_code in {302, 401, 403, 404, 405}, (entry, answer.status_code)
    allowed = re.compile(r"^/(account/|setup|healthz|readyz|metrics|api/v1/(docs/|openapi\.json)|language)")
    assert [path for path in shown if not allowed.match(path)] == []


def _simple_addresses() -> list[str]:
    """Addresses without parameters."""
    found: list[str] = []

    def walk(entries: list[Any], prefix: str = "/") -> None:
        for entry in entries:
            route = prefix + str(entry.pattern).removeprefix("^").removesuffix("$").removesuffix("\\Z")
            if hasattr(entry, "url_patterns"):
                walk(entry.url_patterns, route)
            elif "<" not in route and "(" not in route:
                found.append(route)

    walk(get_resolver().url_patterns)
    return found
