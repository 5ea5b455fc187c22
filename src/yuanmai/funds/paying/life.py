"""What paying means for the life of the reserve project: the first payment draws it, taking the last one back undoes that."""

from datetime import date

from yuanmai.core.actions import Act
from yuanmai.funds.models import Payment, Reserve
from yuanmai.funds.reserve.moving import advance, fall_back
from yuanmai.projects.models import Project


def follow_payments(act: Act, project: Project, on: date) -> None:
    """Bring the reserve project of a project in step with its payments: drawn while one stands, issued when none does."""
    if Payment.objects.filter(project=project, retracted_at=None).exists():
        advance(act, project, Reserve.State.DRAWN.value, on)
    elif Reserve.objects.filter(project=project, withdrawn_at=None, state=Reserve.State.DRAWN).exists():
        fall_back(act, project, Reserve.State.ISSUED.value, on)
