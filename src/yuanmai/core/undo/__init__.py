"""Taking back changes of plain rows (registers, places), exactly.

Facts are retracted by the rooms that keep them. Rows that are edited in place have no past of their own: an action that
changes them keeps, row by row, what stood there before and after (`keep`), and `take_back` puts the former back — all of it
or, where something newer stands in the way, nothing. A step can be undone for thirty days.
"""

from yuanmai.core.undo.steps import Changed, keep, since, state_of, take_back, usable

__all__ = ["Changed", "keep", "since", "state_of", "take_back", "usable"]
