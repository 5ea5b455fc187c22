"""The tables of the ground floor."""

from yuanmai.core.api_answers import KeptAnswer
from yuanmai.core.audit.models import AuditEntry, AuditHead, RoomVersion
from yuanmai.core.findings import Finding
from yuanmai.core.jobs.models import Job, ScheduledRun
from yuanmai.core.saved.models import Preference, SavedView
from yuanmai.core.undo.models import RowChange, UndoStep
from yuanmai.core.workbooks.models import *  # noqa: F403

__all__ = [
    "AuditEntry",
    "AuditHead",
    "Finding",
    "Job",
    "KeptAnswer",
    "Preference",
    "RoomVersion",
    "RowChange",
    "SavedView",
    "ScheduledRun",
    "UndoStep",
]
