"""The language of a page: the switch, else the browser's, Chinese where unknown."""

from __future__ import annotations

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from yuanmai.core.web.language import best_language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh-hans"),
        ("*", "zh-hans"),
        ("fr-FR,fr;q=0.9", "zh-hans"),
        ("fr,en;q=0.5", "en"),
        ("en-US,en;q=0.9", "en"),
        ("en-GB;q=0.5,zh-CN;q=0.8", "zh-hans"),
        ("zh-TW,zh;q=0.9,en;q=0.8", "zh-hans"),
        ("zh-HK", "zh-hans"),
        ("ZH-cn", "zh-hans"),
        ("en;q=0,de", "zh-hans"),
        ("en;q=x,zh;q=0.1", "zh-hans"),
        (" en ; q=0.9", "zh-hans"),
        ("english", "zh-hans"),
    ],
)
def test_the_browsers_wish(header: str, language: str) -> None:
    assert best_language(header) == language


@given(st.text(max_size=80))
def test_any_header_gives_a_language_that_we_have(header: str) -> None:
    assert best_language(header) in {"zh-hans", "en"}


@pytest.mark.django_db
def test_a_page_comes_in_the_language_and_says_so(client_as) -> None:
    for header, code in (("zh-TW", "zh-Hans"), ("en-US", "en"), ("fr", "zh-Hans")):
        page = client_as(None, language=header).get(reverse("account_login"))
        assert f'lang="{code}"' in page.content.decode() or page.status_code == 302
        assert page["Content-Language"] == code.lower()


@pytest.mark.django_db
def test_the_switch_wins_over_the_browser_and_only_languages_we_have_count(make_user, client_as) -> None:
    client = client_as(make_user("leader"), language="en")
    answer = client.post(reverse("set_language"), {"language": "zh-hans", "next": "/"})
    assert answer.status_code == 302
    assert client.cookies["yuanmai_language"].value == "zh-hans"
    assert client.get(reverse("jobs:list"))["Content-Language"] == "zh-hans"
    client.post(reverse("set_language"), {"language": "xx", "next": "/"})
    assert client.get(reverse("jobs:list"))["Content-Language"] == "zh-hans"
    client.cookies["yuanmai_language"] = "../../etc"
    assert client.get(reverse("jobs:list"))["Content-Language"] == "en"
