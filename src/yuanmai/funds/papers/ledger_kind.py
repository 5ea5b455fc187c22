"""What the two ledgers of bond money have in common as import kinds."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from yuanmai.common.money import yuan_text
from yuanmai.core.figures.display import chinese
from yuanmai.core.policy import Actor
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.engine.spec import KindSpec
from yuanmai.core.workbooks.engine.values import Percent
from yuanmai.core.workbooks.kinds import Plan, Progress
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.core.workbooks.wording import share
from yuanmai.funds.models import Frequency, Repayment


class LedgerKind(ABC):
    """A kind whose rows are money of projects; `acts` are its actions: preview, commit, undo, remember."""

    home: ClassVar[str]
    acts: ClassVar[tuple[Callable[..., Any], ...]]

    @property
    @abstractmethod
    def spec(self) -> KindSpec:
        """Fields, words and rules."""

    def preview(self, actor: Actor, **values: Any) -> ImportBatch:
        """Keep a file."""
        batch: ImportBatch = type(self).acts[0](actor, **values)
        return batch

    def commit(
        self, actor: Actor, batch: ImportBatch, parsed: Parsed, progress: Progress | None = None
    ) -> Plan:
        """Take it over."""
        plan: Plan = type(self).acts[1](actor, batch, parsed, progress)
        return plan

    def undo(self, actor: Actor, batch: ImportBatch) -> Mapping[str, Any]:
        """Take it back."""
        result: Mapping[str, Any] = type(self).acts[2](actor, batch)
        return result

    def remember(self, actor: Actor, org_id: int, decisions: Sequence[tuple[Sequence[str], str]]) -> None:
        """Keep decisions on columns."""
        type(self).acts[3](actor, org_id, decisions)

    def home_url(self) -> str:
        """Address of the list of what was imported."""
        try:
            return reverse(self.home)
        except NoReverseMatch:
            return reverse("funds:index")

    def url_of(self, uid: str) -> str:
        """Address of a project's page about its money."""
        return reverse("funds:project", args=[uid])

    def show(self, field_code: str, value: Any) -> str:
        """A value as people read it."""
        if value is None or value == "":
            return "—"
        if isinstance(value, Percent):
            return share(value.value)
        if isinstance(value, date):
            return date_format(value, "Y-m-d")
        field = self.spec.fields.get(field_code)
        if isinstance(value, Decimal):
            if field is not None and field.type == "money":
                return yuan_text(value, chinese=chinese())
            if field is not None and field.type == "percent":
                return f"{(value * 100).normalize():f}%"
            return f"{value:f}"
        if field_code == "term":
            return _("%(n)s years") % {"n": value}
        if field_code == "frequency":
            return str(dict(Frequency.choices).get(int(value), value))
        if field_code == "repayment":
            return str(dict(Repayment.choices).get(value, value))
        if isinstance(value, list):
            return "; ".join(f"{row['year']}: {Decimal(str(row['share'])) * 100:g}%" for row in value)
        return str(value)
