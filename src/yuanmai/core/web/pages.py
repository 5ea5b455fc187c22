"""The decorator of every page: who may see it is declared where it is defined."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from yuanmai.core.policy import PERMISSIONS

V = TypeVar("V", bound=Callable[..., HttpResponseBase])


@dataclass(frozen=True)
class Page:
    """A page as declared; `permission` is empty for every signed-in user, None for everybody."""

    name: str
    permission: str | None
    reason: str = ""


PAGES: dict[str, Page] = {}


def page(permission: str = "") -> Callable[[V], V]:
    """Declare a page for signed-in users that hold a permission somewhere (`""`: for every signed-in user).

    Whether the single object may be seen is decided by the data scope and by ``request.actor.require``.
    """

    def decorate(view: V) -> V:
        name = f"{view.__module__}.{view.__qualname__}"
        PAGES[name] = Page(name, permission)

        @wraps(view)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            actor = request.actor  # type: ignore[attr-defined]
            if actor is None:
                return redirect_to_login(request.get_full_path())
            if permission:
                if permission not in PERMISSIONS:
                    raise KeyError(f"permission {permission} is not declared")
                actor.require(permission)
            return view(request, *args, **kwargs)

        run.page = PAGES[name]  # type: ignore[attr-defined]
        return run  # type: ignore[return-value]

    return decorate


def public_page(reason: str) -> Callable[[V], V]:
    """Declare a page that everybody may see, with the reason why."""

    def decorate(view: V) -> V:
        name = f"{view.__module__}.{view.__qualname__}"
        PAGES[name] = Page(name, None, reason)
        view.page = PAGES[name]  # type: ignore[attr-defined]
        return view

    return decorate
