"""The frame of a page as text: reading the as-of date and the moment of knowledge from addresses and forms."""

from datetime import UTC, date, datetime, timedelta

from django.core.exceptions import BadRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

SESSION_KEY = "view"


# No place on earth is further from UTC; a database need not understand more.
FURTHEST = timedelta(hours=14)


def parse_moment(text: str) -> datetime:
    """Return an aware moment from ISO text (a date means its end); raises `BadRequest` with what was wrong."""
    try:
        # The day first: parse_datetime, too, reads a bare date, and as its beginning.
        if len(text) == len("2022-03-31") and (day := parse_date(text)):
            moment: datetime | None = datetime(day.year, day.month, day.day, 23, 59, 59)  # noqa: DTZ001
        else:
            moment = parse_datetime(text)
            if moment is not None and abs(moment.utcoffset() or timedelta(0)) > FURTHEST:
                moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise BadRequest(
            _("“%(text)s” is not a date and time. Write it as 2022-03-31T18:00.") % {"text": text}
        )
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def parse_day(text: str) -> date:
    """Return a date from ISO text; raises `BadRequest` with what was wrong."""
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None or not 1990 <= day.year <= 2100:
        raise BadRequest(_("“%(text)s” is not a date. Write it as 2022-03-31.") % {"text": text})
    return day
