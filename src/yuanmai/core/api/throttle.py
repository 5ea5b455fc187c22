"""How often somebody may ask: a count per minute, kept in this process's memory."""

import time

from django.core.cache import cache
from django.utils.translation import gettext as _

from yuanmai.core.api.problems import Problem

MINUTE = 60


def check_rate(who: str, per_minute: int) -> None:
    """Count one request of `who`; raises a 429 problem with ``Retry-After`` above `per_minute` (0: no limit).

    The count is per web process, so an installation with n processes allows up to n times as much: it protects the
    server from a client that runs wild, it is no quota.
    """
    if not per_minute:
        return
    now = time.time()
    key = f"rate:{who}:{int(now // MINUTE)}"
    cache.add(key, 0, MINUTE)
    try:
        count = cache.incr(key)
    except ValueError:  # pushed out of the cache between the two calls
        return
    if count > per_minute:
        wait = MINUTE - int(now % MINUTE)
        raise Problem(
            429,
            _("More than %(limit)s requests in a minute. Wait %(seconds)s seconds.")
            % {"limit": per_minute, "seconds": wait},
            code="rate",
            headers={"Retry-After": str(wait)},
        )
