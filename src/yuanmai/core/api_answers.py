"""The table of answers that are kept so that a repeated request is not done twice."""

from django.conf import settings
from django.db import models


class KeptAnswer(models.Model):
    """The answer to a POST that carried an ``Idempotency-Key``; deleted after a day."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=120)
    digest = models.CharField(
        max_length=64
    )  # of method, address and body: the same key must mean the same request
    status = models.PositiveSmallIntegerField(default=0)
    content_type = models.CharField(max_length=80, blank=True)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="kept_answer_once")]

    def __str__(self) -> str:
        return self.key
