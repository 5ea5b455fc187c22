"""Tables of the workbook pipeline."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from yuanmai.core.scope import Owned


class ImportBatch(Owned):
    """One workbook taken over, or about to be: what it was, who brought it, and what became of it."""

    class State(models.TextChoices):
        PREVIEWED = "previewed", _("Previewed")
        COMMITTED = "committed", _("Committed")
        UNDONE = "undone", _("Undone")

    kind = models.CharField(max_length=60)
    file_name = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    sheet = models.CharField(max_length=100, blank=True)
    as_of = models.DateField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PREVIEWED)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    committed_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    summary = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")

    def __str__(self) -> str:
        return self.file_name


class ColumnMapping(Owned):
    """What an organisation decided about a column head that the synonyms do not know; `field` empty: leave it out."""

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=200)
    header = models.CharField(max_length=200)
    field = models.CharField(max_length=60, blank=True)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["org", "kind", "key"], name="column_mapping_once")]
        verbose_name = _("remembered column")
        verbose_name_plural = _("remembered columns")

    def __str__(self) -> str:
        return self.header
