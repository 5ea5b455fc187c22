"""The network address that a request came from."""

from typing import Any

from django.conf import settings


def client_address(request: Any) -> str:
    """Return the caller's address; behind a proxy (``YUANMAI_BEHIND_PROXY``) the one that the proxy saw."""
    meta = getattr(request, "META", None) or {}
    if settings.SECURE_PROXY_SSL_HEADER is not None:
        seen = [part.strip() for part in meta.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
        if seen:
            return str(seen[-1])[:64]
    return str(meta.get("REMOTE_ADDR") or "")[:64]
