"""Which rows of paying take files, who adds them, and what follows from it."""

from collections.abc import Callable
from typing import Any

from yuanmai.core.actions import Act
from yuanmai.funds.files import file_target
from yuanmai.funds.findings.paying import refresh_paying
from yuanmai.funds.models import (
    Certificate,
    ChangeOfUse,
    Contract,
    Disbursement,
    Invoice,
    Measurement,
    Payment,
    UsePlan,
)
from yuanmai.funds.permissions import KEEP_CONTRACTS, KEEP_RESERVE, PAY_BONDS


def _look_again(model: type[Any], path: str) -> Callable[[Act, int], None]:
    def changed(act: Act, pk: int) -> None:
        refresh_paying(act, model.objects.filter(pk=pk).values_list(path, flat=True))

    return changed


# By the name that addresses use.
TARGETS: dict[str, type[Any]] = {}
for _model, _permission, _path in (
    (Contract, KEEP_CONTRACTS, "project_id"),
    (Certificate, KEEP_CONTRACTS, "contract__project_id"),
    (Invoice, KEEP_CONTRACTS, "contract__project_id"),
    (UsePlan, KEEP_CONTRACTS, "project_id"),
    (Measurement, KEEP_CONTRACTS, "item__project_id"),
    (Disbursement, PAY_BONDS, "project_id"),
    (Payment, KEEP_CONTRACTS, "project_id"),
    (ChangeOfUse, KEEP_RESERVE, "giver_id"),
):
    TARGETS[file_target(_model, _permission, _look_again(_model, _path))] = _model
