"""Who sends: a token of a person with the right to send readings, or a device by its own key.

What was found out about a token or key is kept for a few seconds: revoking it, or the right, works within that time.
"""

import hashlib
import threading
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import close_old_connections, connection
from django.utils.translation import gettext as _

from yuanmai.core.api import problems
from yuanmai.core.api.problems import Problem
from yuanmai.core.api.throttle import check_rate
from yuanmai.core.policy import Actor
from yuanmai.core.scope import everywhere
from yuanmai.devices.models import Device
from yuanmai.devices.permissions import SEND_READINGS
from yuanmai.people.tokens import actor_of_token

KNOWN_FOR = 3.0  # seconds
MOST_KNOWN = 4096
# Devices that hold a key of their own and speak HTTP; the code of a vehicle terminal is too short to be shown to everybody.
WITH_KEYS = ("http", "mqtt")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends. `orgs`: whose devices it may write; `device`: the only one (0: all of the organisations)."""

    name: str
    orgs: frozenset[int]
    device: int = 0


def of_actor(actor: Actor) -> Sender:
    """Return the sender that a person or their token is. Raises `Denied` without the right."""
    actor.require(SEND_READINGS)
    return Sender(f"user:{actor.user_id}", frozenset(actor.org_ids(SEND_READINGS)))


def renew_connection() -> None:
    """Do what Django does around a request: the quick way in passes it by."""
    if not connection.in_atomic_block:
        close_old_connections()


class Known:
    """Senders by what they have shown, for a few seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[bytes, tuple[float, Sender]] = {}

    def sender(self, authorization: str, address: str) -> Sender:
        """Return who shows this header. Raises `Problem` or `Denied`."""
        scheme, _space, shown = authorization.partition(" ")
        shown = shown.strip()
        if scheme.lower() != "bearer" or not shown:
            raise problems.unauthenticated()
        digest = hashlib.sha256(shown.encode("utf-8", "surrogateescape")).digest()
        now = time.monotonic()
        found = self._known.get(digest)
        if found is not None and now - found[0] < KNOWN_FOR:
            return found[1]
        renew_connection()
        try:
            sender = _look_up(shown, digest.hex(), address)
        finally:
            renew_connection()
        with self._lock:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[digest] = (now, sender)
        return sender

    def forget(self) -> None:
        """Look everybody up anew."""
        with self._lock:
            self._known.clear()


KNOWN = Known()


def _look_up(shown: str, digest: str, address: str) -> Sender:
    if shown.startswith("ym_"):
        actor = actor_of_token(shown, address)
        if actor is not None:
            return of_actor(actor)
    else:
        with everywhere():
            device = (
                Device.objects.filter(
                    secret_hash=digest, protocol__in=WITH_KEYS, enabled=True, retired_at=None
                )
                .only("pk", "org_id")
                .first()
            )
        if device is not None:
            return Sender(f"device:{device.pk}", frozenset({device.org_id}), device.pk)
    check_rate(f"bad-token:{address}", settings.API_BAD_TOKENS_PER_MINUTE)
    raise Problem(
        401,
        _("The token or key is not valid: unknown, expired or revoked."),
        code="unauthenticated",
        headers={"WWW-Authenticate": 'Bearer realm="yuanmai", error="invalid_token"'},
    )
