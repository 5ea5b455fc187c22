"""Log lines: for people, or one JSON object each for a collector; both with the request's id."""

import json
import logging
import sys
from datetime import UTC, datetime


def _reference(record: logging.LogRecord) -> str:
    """Return the id of the request that is being served; logging is set up before the rooms, so nothing is imported."""
    actions = sys.modules.get("yuanmai.core.actions")
    known = getattr(actions, "request_id", None)
    now = str(known.get()) if known is not None else ""
    # Django logs refusals after the middlewares, when the id is over; the request still knows it.
    return now or str(getattr(getattr(record, "request", None), "reference", ""))


class Line(logging.Formatter):
    """``2022-03-31 18:00:00,123 WARNING room [request id] message``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        reference = _reference(record)
        record.reference = f" [{reference}]" if reference else ""
        return super().format(record)


class JsonLine(logging.Formatter):
    """One JSON object per line: at, level, logger, message, request, and (of an error) trace."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        document = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if reference := _reference(record):
            document["request"] = reference
        if record.exc_info:
            document["trace"] = self.formatException(record.exc_info)
        return json.dumps(document, ensure_ascii=False)
