"""``Idempotency-Key``: a POST that is sent again, because its answer was lost, is not done again."""

import hashlib
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from yuanmai.core.api.problems import Fault, Faulty, Problem
from yuanmai.core.api_answers import KeptAnswer
from yuanmai.core.policy import Actor

KEEP = timedelta(hours=24)
LONGEST = 120


def once(request: HttpRequest, actor: Actor, key: str, run: Callable[[], HttpResponse]) -> HttpResponse:
    """Run a request unless one with this key was done in the last day; then give that one's answer again.

    Key, work and answer are stored in one transaction: a crash in between leaves none of them. A second request with the
    same key that arrives meanwhile waits for the first. Refusals are not kept, so the corrected request may use the key.
    """
    if not 1 <= len(key) <= LONGEST or not key.isascii() or not key.isprintable():
        message = _("An Idempotency-Key has 1 to %(length)s printable ASCII characters.") % {
            "length": LONGEST
        }
        raise Faulty([Fault(message, "key", parameter="Idempotency-Key")])
    user_id = actor.user_id
    assert user_id is not None, "only people and their tokens call the interface"
    digest = hashlib.sha256(
        b"\n".join([str(request.method).encode(), request.get_full_path().encode(), request.body])
    ).hexdigest()
    now = timezone.now()
    with transaction.atomic():
        KeptAnswer.objects.filter(user_id=user_id, key=key, created_at__lt=now - KEEP).delete()
        kept, created = KeptAnswer.objects.get_or_create(
            user_id=user_id, key=key, defaults={"digest": digest, "created_at": now}
        )
        if not created:
            return _again(kept, digest)
        response = run()
        if response.status_code < 300 and not response.streaming:
            kept.status = response.status_code
            kept.content_type = response.get("Content-Type", "")
            kept.body = response.content.decode()
            kept.save()
        else:
            kept.delete()
        return response


def _again(kept: KeptAnswer, digest: str) -> HttpResponse:
    if kept.digest != digest:
        raise Problem(422, _("This Idempotency-Key was used for another request."), code="idempotency")
    answer = HttpResponse(kept.body, status=kept.status, content_type=kept.content_type)
    answer["Idempotency-Replayed"] = "true"
    return answer
