"""Tables of the audit log and of the rooms' versions."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One thing that was done: who, when, from where, what, before and after. Never changed, never deleted."""

    sequence = models.PositiveBigIntegerField(unique=True)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True, verbose_name=_("Time"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    actor = models.CharField(max_length=150, verbose_name=_("Who"))
    via = models.CharField(max_length=10)
    address = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=80, db_index=True, verbose_name=_("Action"))
    result = models.CharField(max_length=10, default="done")  # done, refused, failed
    org_id = models.BigIntegerField(
        null=True, db_index=True
    )  # no foreign key: the log outlives what it speaks of
    target_type = models.CharField(max_length=60, blank=True)
    target_id = models.CharField(max_length=40, blank=True)
    target_name = models.CharField(max_length=200, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    request_id = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["sequence"]
        indexes = [models.Index(fields=["target_type", "target_id", "sequence"], name="audit_target")]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")

    def __str__(self) -> str:
        return f"{self.sequence} {self.action}"

    def content(self) -> dict[str, object]:
        """Return what the hash covers."""
        return {
            "sequence": self.sequence,
            "at": self.at.isoformat(),
            "user": self.user_id,
            "actor": self.actor,
            "via": self.via,
            "address": self.address,
            "action": self.action,
            "result": self.result,
            "org": self.org_id,
            "target": [self.target_type, self.target_id, self.target_name],
            "before": self.before,
            "after": self.after,
            "request": self.request_id,
        }


class AuditHead(models.Model):
    """The end of the chain (one row): how many entries, the last hash, and the seal over both."""

    count = models.PositiveBigIntegerField(default=0)
    last = models.CharField(max_length=64)
    seal = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.count} {self.last[:8]}"


class RoomVersion(models.Model):
    """The audit sequence of the last change in a room: the key under which computed figures may be kept."""

    room = models.CharField(max_length=40, primary_key=True)
    sequence = models.PositiveBigIntegerField()
    # The last change that could not be put down to certain organisations; those that could are in `OrgVersion`.
    everywhere = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.room} {self.sequence}"


class OrgVersion(models.Model):
    """The audit sequence of the last change in a room that concerned one organisation and no other."""

    room = models.CharField(max_length=40)
    org_id = models.BigIntegerField()
    sequence = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "org_id"], name="org_version_once")]

    def __str__(self) -> str:
        return f"{self.room} {self.org_id} {self.sequence}"
