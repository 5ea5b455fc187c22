"""Log lines: for people, or one JSON object each for a collector; both with the request's id."""

import json
import logging
from datetime import UTC, datetime


def _request() -> str:
    """The request's id. Logging is set up before the tables of the audit log can be imported, hence only when asked."""


def _reference() -> str:
    """Return the id of the request that is being served; imported late, because logging is set up before the rooms."""
    try:
        from yuanmai.core.actions import request_id
    except Exception:  # a line written before the rooms are loaded belongs to no request
        return ""
    return request_id.get()

    return request_id.get()


class Line(logging.Formatter):
    """``2022-03-31 18:00:00,123 WARNING room [request id] message``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        reference = _request()
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
        if reference := _request():
            document["request"] = reference
        if record.exc_info:
            document["trace"] = self.formatException(record.exc_info)
        return json.dumps(document, ensure_ascii=False)
