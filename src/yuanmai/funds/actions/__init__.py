"""The verbs of the funds room, by subject."""

from yuanmai.funds.actions.funding import (
    set_funding,
    undo_funding,
)

__all__ = [
    "set_funding",
    "undo_funding",
]
