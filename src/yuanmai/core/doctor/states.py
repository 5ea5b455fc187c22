"""Whether state tables agree with the facts they are folded from, and folding them anew."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.doctor.model import Outcome
from yuanmai.core.permissions import SEE_SYSTEM
from yuanmai.core.scope import everywhere

SAMPLE = 500


@dataclass(frozen=True)
class Projection:
    """A room's state table: `ids` lists what it is kept for, `difference` compares without writing, `refold` writes."""

    room: str
    ids: Callable[[], Sequence[int]]
    difference: Callable[[list[int], datetime], tuple[Sequence[int], Sequence[Any]]]
    refold: Callable[[list[int], datetime], None]


PROJECTIONS: dict[str, Projection] = {}


def projection(one: Projection) -> Projection:
    """Declare a room's state table, in its `checks.py`."""
    PROJECTIONS[one.room] = one
    return one


def agreement(room: str) -> Outcome:
    """Compare the states of up to 500 rows, taken at random, with what their facts say."""
    one = PROJECTIONS[room]
    with everywhere():
        ids = list(one.ids())
        some = sorted(random.sample(ids, min(SAMPLE, len(ids))))
        close, add = one.difference(some, timezone.now())
    if close or add:
        return Outcome.fail(
            _("%(n)d of %(all)d rows differ from their facts")
            % {"n": max(len(close), len(add)), "all": len(some)},
            _("Run 'yuanmai doctor --rebuild', and please report how it came about."),
        )
    return Outcome.ok(_("%(n)d rows agree with their facts") % {"n": len(some)})


@action("core.rebuild", permission=SEE_SYSTEM)
def rebuild(act: Act) -> dict[str, int]:
    """Fold every state table anew from its facts; returns the number of rows by room. Changes nothing where all agrees."""
    counts = {}
    with everywhere():
        for one in PROJECTIONS.values():
            ids = list(one.ids())
            one.refold(ids, act.now)
            counts[one.room] = len(ids)
    act.log(None, after=counts)
    return counts
