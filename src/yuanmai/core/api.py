"""The API kit: one way to authenticate, page, filter and refuse (RFC 9457)."""

from ninja import NinjaAPI

from yuanmai import __version__


def make_api() -> NinjaAPI:
    """Return the API object with its error handlers."""
    return NinjaAPI(title="Yuanmai", version=__version__, urls_namespace="api")
