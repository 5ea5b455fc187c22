"""Tables of what can be taken back."""

import uuid

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from yuanmai.core.scope import Owned


class UndoStep(Owned):
    """One change of plain rows, as an action made it; `token` names it in addresses."""

    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    action = models.CharField(max_length=80)
    name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_index=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)
    batch = models.OneToOneField("core.ImportBatch", models.PROTECT, null=True, related_name="undo_step")

    class Meta:
        verbose_name = _("undoable change")
        verbose_name_plural = _("undoable changes")

    def __str__(self) -> str:
        return self.name or self.action


class RowChange(models.Model):
    """What one row was before and after a step; `before` is null for a new row, `after` for a removed one."""

    step = models.ForeignKey(UndoStep, models.CASCADE, related_name="changes")
    model = models.CharField(max_length=80)
    row_id = models.BigIntegerField()
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ["id"]
        verbose_name = _("changed row")
        verbose_name_plural = _("changed rows")

    def __str__(self) -> str:
        return f"{self.model} {self.row_id}"
