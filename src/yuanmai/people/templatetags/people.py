"""What the templates of the people room ask."""

import re
from typing import Any

from django import template
from django.conf import settings
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _

from yuanmai.core.web.hooks import LOGIN_HINTS, LoginHint
from yuanmai.people.models import User
from yuanmai.people.passwords import HistoryValidator, ProfileValidator, rotation_due

register = template.Library()

SYSTEMS = [
    ("Android", "Android"),
    ("iPhone|iPad", "iOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("UOS|Deepin", "统信 UOS"),
    ("Linux", "Linux"),
]
BROWSERS = [
    ("MicroMessenger", "微信"),
    ("DingTalk", "钉钉"),
    ("QihooBrowser|360SE|360EE", "360"),
    ("Edg/", "Edge"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
]


@register.simple_tag
def demo_accounts() -> list[LoginHint]:
    """The accounts that the sign-in page offers in demonstration mode."""
    return [hint for function in LOGIN_HINTS for hint in function()] if settings.DEMO else []


@register.simple_tag
def oidc_name() -> str:
    """The name of the identity provider, or "" where none is configured."""
    apps = settings.SOCIALACCOUNT_PROVIDERS.get("openid_connect", {}).get("APPS", [])
    return str(apps[0]["name"]) if apps else ""


@register.simple_tag
def password_rules() -> str:
    """The rules for passwords in words."""
    return f"{ProfileValidator().get_help_text()} {HistoryValidator().get_help_text()}".strip()


@register.simple_tag
def password_reason(user: Any) -> str:
    """Why the password has to be changed now, or ""."""
    if not isinstance(user, User):
        return ""
    if user.must_change_password:
        return _("You signed in with a one-time password. Choose your own now; nobody else will know it.")
    if rotation_due(user):
        return _("Your password is %(days)d days old. The rules of this installation ask for a new one.") % {
            "days": settings.PASSWORD_ROTATION_DAYS
        }
    return ""


@register.simple_tag
def bare(field: BoundField) -> BoundField:
    """A field of the library without its help and placeholder: the page says in its own words what belongs there."""
    field.help_text = ""
    field.field.widget.attrs.pop("placeholder", None)
    return field


@register.filter
def device(user_agent: str) -> str:
    """Browser and system of a session in two words."""
    browser = next((name for pattern, name in BROWSERS if re.search(pattern, user_agent)), "")
    system = next((name for pattern, name in SYSTEMS if re.search(pattern, user_agent)), "")
    return " · ".join(part for part in (browser, system) if part) or user_agent[:60] or _("unknown")
