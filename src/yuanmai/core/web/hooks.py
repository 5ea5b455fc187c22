"""What the frame of every page asks of rooms that stand above this one.

The web kit does not know people or the demonstration; they register here what they can say.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from yuanmai.core.policy import Denied, Text


@dataclass(frozen=True)
class LoginHint:
    """An account that the sign-in page may offer; for the demonstration only."""

    username: str
    password: str
    label: Text
    note: Text = ""


# Each returns the accounts that the sign-in page offers; asked in demonstration mode only.
LOGIN_HINTS: list[Callable[[], list[LoginHint]]] = []
# Each returns what stands above "Sign out": {"label", "url", "icon"}.
USER_MENU: list[Callable[[HttpRequest], list[dict[str, Any]]]] = []
# Each returns the words under the user's name, or "".
ROLE_LABEL: list[Callable[[HttpRequest], str]] = []
# Each returns why a request was refused: {"permission", "roles_with", "my_roles", "my_scope", "owner"}, or {}.
EXPLAINERS: list[Callable[[HttpRequest, Denied], dict[str, Any]]] = []


def login_hints(function: Callable[[], list[LoginHint]]) -> Callable[[], list[LoginHint]]:
    """Register accounts for the sign-in page of the demonstration."""
    LOGIN_HINTS.append(function)
    return function


def user_menu(
    function: Callable[[HttpRequest], list[dict[str, Any]]],
) -> Callable[[HttpRequest], list[dict[str, Any]]]:
    """Register entries of the user's menu."""
    USER_MENU.append(function)
    return function


def role_label(function: Callable[[HttpRequest], str]) -> Callable[[HttpRequest], str]:
    """Register what stands under the user's name."""
    ROLE_LABEL.append(function)
    return function


def explainer(
    function: Callable[[HttpRequest, Denied], dict[str, Any]],
) -> Callable[[HttpRequest, Denied], dict[str, Any]]:
    """Register an explanation of refusals."""
    EXPLAINERS.append(function)
    return function


def explain(request: HttpRequest, refusal: Denied) -> dict[str, Any]:
    """Return all that is known about a refusal."""
    rights: dict[str, Any] = {}
    for function in EXPLAINERS:
        rights.update(function(request, refusal))
    return rights


def menu_of(request: HttpRequest) -> dict[str, Any]:
    """Return `user_menu` and `role_label` for the base page."""
    return {
        "user_menu": [item for function in USER_MENU for item in function(request)],
        "role_label": next((label for function in ROLE_LABEL if (label := function(request))), ""),
    }
