"""The background work of the ground floor, found when the program starts."""

from yuanmai.core.jobs import periodic  # noqa: F401  (importing it declares it)
from yuanmai.core.workbooks import background  # noqa: F401  (the same)
