"""What is missing or misconfigured on this machine, and how to mend it.

A check is a function without arguments that returns an :class:`Outcome`, marked ``@check("name", _("Title"))``. The
checks of the ground floor stand in ``checks.py`` beside this file; a room adds its own in its ``checks.py``.
"""

from yuanmai.core.doctor.model import CHECKS, Check, Examined, Outcome, State, check, examine

__all__ = ["CHECKS", "Check", "Examined", "Outcome", "State", "check", "examine"]
