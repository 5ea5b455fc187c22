"""What may go wrong with a journal."""


class JournalError(Exception):
    """Something a journal could not do."""


class JournalFull(JournalError):  # noqa: N818
    """The disk has no room for the group. Nothing of it is kept; try again when there is room."""


class JournalBroken(JournalError):  # noqa: N818
    """The disk failed. Nothing of the group counts; the next one is tried in a new segment."""


class JournalLocked(JournalError):  # noqa: N818
    """Another process writes this journal."""
