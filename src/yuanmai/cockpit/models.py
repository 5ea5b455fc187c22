"""The cockpit owns only what it gives out: issued bulletins."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from yuanmai.core.scope import Owned


class Bulletin(Owned):
    """An issued bulletin: the question it answered, frozen, and the files as they went out. Never edited."""

    class Kind(models.TextChoices):
        MONTH = "month", _("Monthly bulletin")
        QUARTER = "quarter", _("Quarterly bulletin")
        YEAR = "year", _("Yearly bulletin")

    uid = models.UUIDField(unique=True)
    kind = models.CharField(max_length=8, choices=Kind.choices, verbose_name=_("Kind of bulletin"))
    period = models.CharField(max_length=8, verbose_name=_("Period of the bulletin"))  # 2022-03, 2022Q1, 2022
    language = models.CharField(max_length=2, default="zh")
    title = models.CharField(max_length=200, verbose_name=_("Title"))
    head = models.JSONField(
        default=dict
    )  # what the issuer decided: mark, number, addressee, signature, date, copies
    org_ids = models.JSONField(default=list)  # the organisations it covers, as the tree was
    with_funds = models.BooleanField(default=True)
    as_of = models.DateField(verbose_name=_("As of"))
    known_at = models.DateTimeField(verbose_name=_("As known at"))
    figures = models.JSONField(default=dict)  # code → exact value as text
    text = models.TextField()
    text_digest = models.CharField(max_length=64)
    word = models.BinaryField()
    word_digest = models.CharField(max_length=64)
    pdf = models.BinaryField()
    pdf_digest = models.CharField(max_length=64)
    issued_at = models.DateTimeField(verbose_name=_("Issued at"))
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-issued_at", "-id"]
        indexes = [models.Index(fields=["org", "-issued_at"], name="bulletin_issued")]
        verbose_name = _("bulletin")
        verbose_name_plural = _("bulletins")

    def __str__(self) -> str:
        return self.title
