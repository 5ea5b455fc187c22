"""Findings: contradictions that show themselves, each with its evidence, an owner and a state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yuanmai.core.scope import Owned
from yuanmai.core.temporal import KNOWN_FOREVER


class Finding(Owned):
    """A contradiction in the data. It is never "mended" silently: someone answers for it.

    `key` identifies the contradiction, so that finding it again updates the row instead of doubling it.
    """

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("finding", "Open")
        EXPLAINED = "explained", _("Explained")
        RESOLVED = "resolved", _("Resolved")

    class Severity(models.TextChoices):
        ERROR = "error", _("Contradiction")
        WARNING = "warning", _("To be checked")

    kind = models.CharField(max_length=60, db_index=True)
    key = models.CharField(max_length=200)
    severity = models.CharField(max_length=10, choices=Severity.choices, default=Severity.ERROR)
    params = models.JSONField(default=dict)  # what the kind's sentence is filled with
    evidence = models.JSONField(
        default=list
    )  # [{"label", "url", "value"}], the rows that contradict each other
    effective_on = models.DateField()
    found_at = models.DateTimeField()
    gone_until = models.DateTimeField(
        default=KNOWN_FOREVER
    )  # moment at which the data no longer contradicted itself
    batch = models.ForeignKey(
        "core.ImportBatch", models.PROTECT, null=True, blank=True, related_name="findings"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    note = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["org", "kind", "key"], name="finding_once")]
        indexes = [models.Index(fields=["org", "state", "effective_on"], name="finding_open")]
        verbose_name = _("finding")
        verbose_name_plural = _("findings")

    def __str__(self) -> str:
        return self.sentence

    @property
    def sentence(self) -> str:
        """The contradiction in words, in the active language."""
        kind = KINDS.get(self.kind)
        return kind.sentence(self.params) if kind else self.kind


@dataclass(frozen=True)
class FindingKind:
    """A kind of contradiction: its name, and its sentence as a function of the parameters (translated when called)."""

    code: str
    name: Any
    sentence: Any
    advice: Any = ""


KINDS: dict[str, FindingKind] = {}


def finding_kind(kind: FindingKind) -> FindingKind:
    """Declare a kind of finding; raises `ValueError` where the code is taken."""
    if kind.code in KINDS:
        raise ValueError(f"finding kind {kind.code} is declared twice")
    KINDS[kind.code] = kind
    return kind


@dataclass(frozen=True)
class Found:
    """A contradiction as an engine or action reports it."""

    kind: str
    key: str
    params: Mapping[str, Any] = field(default_factory=dict)
    evidence: Iterable[Mapping[str, Any]] = ()
    severity: str = "error"
