"""The projects room for programs: the library, plans, reports, history, blockers; amounts in yuan.

The one router is made in `library`; the other parts declare their operations on it when they are imported.
"""

from yuanmai.projects.api import blockers, progress
from yuanmai.projects.api.library import router

__all__ = ["blockers", "progress", "router"]
