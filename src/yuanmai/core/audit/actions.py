"""What readers of the audit log do: even that is written down."""

from typing import Any

from yuanmai.core.actions import Act, action
from yuanmai.core.audit.log import Verdict, verify
from yuanmai.core.permissions import SEE_AUDIT


@action("core.export_audit", permission=SEE_AUDIT)
def export_audit(act: Act, *, count: int, filters: dict[str, Any]) -> None:
    """Note that entries were taken out as a file, and which."""
    act.log(None, after={"entries": count, "filters": filters})


@action("core.verify_audit", permission=SEE_AUDIT)
def verify_audit(act: Act) -> Verdict:
    """Walk the whole chain and note what was found."""
    verdict = verify()
    broken = verdict.broken
    act.log(
        None,
        after={
            "entries": verdict.entries,
            "whole": verdict.whole,
            "first_bad": None if broken is None else {"position": broken.position, "reason": broken.reason},
        },
    )
    return verdict
