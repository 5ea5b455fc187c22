"""What an imported ledger says against itself, in words: the kinds of its findings."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.common.money import yuan_text
from yuanmai.core.figures.display import chinese
from yuanmai.core.findings import FindingKind, finding_kind
from yuanmai.core.workbooks.engine.faults import Fault
from yuanmai.core.workbooks.wording import fault_advice, fault_text, share
from yuanmai.projects.ledger import LEDGER_ROW, LEDGER_TOTAL


def _total(params: Mapping[str, Any]) -> str:
    values = {
        "label": params["label"],
        "cell": params["cell"],
        "column": params["column"],
        "file": params["file"],
    }
    if params["what"] == "count":
        return _("“%(label)s” (%(file)s, cell %(cell)s) states %(stated)s projects, the sheet lists %(computed)s.") % {
            **values, "stated": params["stated"], "computed": params["computed"],
        }  # fmt: skip
    if params["what"] == "share":
        stated, computed = share(params["stated"]), share(params["computed"])
    else:
        stated, computed = (yuan(params[name]) for name in ("stated", "computed"))
    return _("“%(label)s” (%(file)s, cell %(cell)s) states %(stated)s for “%(column)s”, the rows give %(computed)s.") % {
        **values, "stated": stated, "computed": computed,
    }  # fmt: skip


def _row(params: Mapping[str, Any]) -> str:
    fault = Fault(
        params["rule"],
        params["sheet"],
        params["cell"],
        params["column"],
        params["value"],
        0,
        params=params["params"],
    )
    return _("%(file)s, cell %(cell)s (%(column)s): %(text)s %(advice)s") % {
        "file": params["file"], "cell": params["cell"], "column": params["column"],
        "text": fault_text(fault), "advice": fault_advice(fault),
    }  # fmt: skip


def yuan(value: Any) -> str:
    """Return an amount of yuan in the words of the active language."""
    return yuan_text(Decimal(str(value)), chinese=chinese())


finding_kind(
    FindingKind(
        LEDGER_TOTAL,
        gettext_lazy("Total of a ledger differs from its rows"),
        _total,
        gettext_lazy(
            "Ask the author of the ledger which projects the total counts; the system counts the rows."
        ),
    )
)
finding_kind(
    FindingKind(
        LEDGER_ROW,
        gettext_lazy("A row of a ledger contradicts itself"),
        _row,
        gettext_lazy("Correct the ledger and import it again, or explain the difference."),
    )
)
