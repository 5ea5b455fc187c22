"""Pages of the funds room, by subject."""

from yuanmai.funds.views.funding import (
    edit,
    index,
    project,
    project_panel,
    said,
    undo,
    undo_fact,
)

__all__ = [
    "edit",
    "index",
    "project",
    "project_panel",
    "said",
    "undo",
    "undo_fact",
]
