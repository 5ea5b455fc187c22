"""The columns of a key-project ledger that say where a project's money comes from."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from yuanmai.core.actions import Act, touch
from yuanmai.core.bulk import bulk_rows
from yuanmai.funds.engine.fold import FundingLine, fold
from yuanmai.funds.models import FundingFact, FundingState, Security, Source
from yuanmai.funds.papers import bond_ledger, payment_ledger
from yuanmai.funds.projection import refold
from yuanmai.projects.ledger import PARTS
from yuanmai.projects.models import Project

__all__ = ["FundingColumns", "bond_ledger", "payment_ledger"]

FIELDS = {
    "fund_fiscal": Source.FISCAL,
    "fund_bond": Source.SPECIAL_BOND,
    "fund_loan": Source.LOAN,
    "fund_own": Source.OWN,
    "fund_other": Source.OTHER,
}


class FundingColumns:
    """Sources of a project as its ledger plans them: no year, no tranche, not yet secured."""

    fields = tuple(FIELDS)

    def stored(self, org_ids: Sequence[int], as_of: date) -> dict[int, dict[str, Decimal]]:
        """Planned amounts by project and column, as of a day."""
        codes = {source.value: code for code, source in FIELDS.items()}
        rows = FundingState.objects.at(as_of).filter(
            org_id__in=org_ids, security=Security.PLANNED, year=None, tranche=""
        )
        found: dict[int, dict[str, Decimal]] = {}
        for project_id, source, amount in rows.values_list("project_id", "source", "amount").iterator():
            found.setdefault(project_id, {})[codes[source]] = amount
        return found

    def record(
        self,
        act: Act,
        items: Sequence[tuple[Project, Mapping[str, Decimal]]],
        effective_on: date,
        batch: Any,
        *,
        new: bool,
    ) -> None:
        """Store amounts of many projects; `new`: nothing was known of them before, so nothing is read back."""
        facts = [
            {
                "project_id": project.pk,
                "source": FIELDS[code].value,
                "security": Security.PLANNED.value,
                "year": None,
                "tranche": "",
                "amount": amount,
                "effective_on": effective_on,
                "recorded_at": act.now,
                "recorded_by_id": act.actor.user_id,
                "retracted_at": None,
                "batch_id": batch.pk,
            }
            for project, values in items
            for code, amount in values.items()
        ]
        keys = bulk_rows(FundingFact, facts)
        if not new:
            refold([project.pk for project, _values in items], act.now)
            return
        touch("funds")
        orgs = {project.pk: project.org_id for project, _values in items}
        bulk_rows(
            FundingState,
            [row for key, fact in zip(keys, facts, strict=True) for row in _states(key, fact, orgs, act)],
        )

    def retract(self, act: Act, batch: Any) -> None:
        """Take back what a batch stored."""
        facts = FundingFact.objects.filter(batch=batch, retracted_at=None)
        ids = set(facts.values_list("project_id", flat=True))
        facts.update(retracted_at=act.now)
        refold(ids, act.now)

    def later(self, batch: Any, project_ids: Iterable[int]) -> set[int]:
        """Projects whose funding was entered after the batch."""
        wanted = set(project_ids)
        rows = FundingFact.objects.filter(retracted_at=None, recorded_at__gt=batch.committed_at).exclude(
            batch=batch
        )
        return {pk for pk in rows.values_list("project_id", flat=True) if pk in wanted}


def _states(key: int, fact: Mapping[str, Any], orgs: Mapping[int, int], act: Act) -> list[dict[str, Any]]:
    """States of a source of which this is the first fact."""
    line = FundingLine(
        key, fact["effective_on"], (fact["source"], fact["security"], None, ""), fact["amount"]
    )
    return [
        {
            "project_id": fact["project_id"],
            "org_id": orgs[fact["project_id"]],
            "effective_from": span.effective_from,
            "effective_until": span.effective_until,
            "known_from": act.now,
            **dict(span.payload),
        }
        for span in fold([line])
    ]


PARTS.append(FundingColumns())
