"""The verbs of the projects room."""

from yuanmai.projects.actions.blockers import move_blocker, raise_blocker
from yuanmai.projects.actions.bulk import assign_many, set_list_of_many
from yuanmai.projects.actions.library import (
    create_project,
    plan_year,
    remove_project,
    restore_project,
    revise_project,
    set_list,
)
from yuanmai.projects.actions.lights import retract_light_rule, set_light_rule
from yuanmai.projects.actions.progress import report_progress, undo_facts
from yuanmai.projects.actions.wording import NeedsConfirmation

__all__ = [
    "NeedsConfirmation",
    "assign_many",
    "create_project",
    "move_blocker",
    "plan_year",
    "raise_blocker",
    "remove_project",
    "report_progress",
    "restore_project",
    "retract_light_rule",
    "revise_project",
    "set_light_rule",
    "set_list",
    "set_list_of_many",
    "undo_facts",
]
