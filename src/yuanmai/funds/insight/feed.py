"""The repayment calendar for calendar programs (RFC 5545), behind a private address that its owner can end.

An address is ``<prefix>-<secret>``: the prefix finds the row, the secret (256 bits) is compared by its SHA-256. Who may see what is
decided at each fetch.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _

from yuanmai.common.money import yuan_text
from yuanmai.core.figures.display import chinese
from yuanmai.funds.insight.repayment import Payment
from yuanmai.funds.models import CalendarFeed, Tranche
from yuanmai.people.actor import UserActor
from yuanmai.people.backends import may_sign_in
from yuanmai.people.passwords import must_change

if TYPE_CHECKING:
    from icalendar import Event

TOUCH = timedelta(minutes=5)  # how exact "last used" is
REMIND_DAYS = (14, 3)  # before the payment day
BEHIND = timedelta(days=400)  # how long past payments stay in the feed


def digest_of(secret: str) -> str:
    """Return the stored form of the secret part. A long random text needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_address() -> tuple[str, str, str]:
    """Return the text of a new address, its prefix, and the digest to be stored."""
    prefix, secret = secrets.token_hex(5), secrets.token_hex(32)
    return f"{prefix}-{secret}", prefix, digest_of(secret)


def actor_of(text: str, address: str) -> UserActor | None:
    """Return who may see what under an address, None where it is unknown or ended, or its owner may not sign in.

    `address` is the caller's network address.
    """
    prefix, _dash, secret = text.partition("-")
    if not secret or len(prefix) > 12:
        return None
    row = CalendarFeed.objects.select_related("user").filter(prefix=prefix).first()
    if row is None or not hmac.compare_digest(row.digest, digest_of(secret)) or row.revoked_at is not None:
        return None
    if not may_sign_in(row.user) or must_change(row.user):
        return None
    now = timezone.now()
    if row.last_used_at is None or now - row.last_used_at >= TOUCH:
        CalendarFeed.objects.filter(pk=row.pk).update(last_used_at=now)
    return UserActor.of(row.user, via="feed", address=address)


def calendar_of(payments: Iterable[Payment], today: date, site: str) -> bytes:
    """Return the payments as an iCalendar document; `site` is the address of the calendar page for a year, with ``%(year)s`` in it.

    The identity of an event is the bond and the day by its terms, so a moved holiday or a new allotment changes the event and makes
    no second one. Payments long past and bonds that are only planned are left out.
    """
    from icalendar import Calendar  # a quarter of a second at the start of every process that never needs it

    document = Calendar()
    document.add("prodid", "-//Yuanmai//Repayment calendar//EN")
    document.add("version", "2.0")
    document.add("calscale", "GREGORIAN")
    document.add("method", "PUBLISH")
    document.add("name", _("Repayment of special bonds"))
    document.add("x-wr-calname", _("Repayment of special bonds"))
    document.add("x-wr-timezone", "Asia/Shanghai")
    document.add("refresh-interval", timedelta(days=1), parameters={"VALUE": "DURATION"})
    document.add("x-published-ttl", "P1D")
    for payment in payments:
        if payment.tranche is not None and payment.payment_day >= today - BEHIND:
            document.add_component(_event(payment, payment.tranche, site))
    return bytes(document.to_ical())


def _event(payment: Payment, tranche: Tranche, site: str) -> "Event":
    from icalendar import Alarm, Event

    event = Event()
    event.add("uid", f"{tranche.uid}-{payment.due_on:%Y%m%d}@yuanmai")
    event.add("dtstamp", tranche.recorded_at.astimezone(UTC))
    event.add("dtstart", payment.payment_day)
    event.add("dtend", payment.payment_day + timedelta(days=1))
    event.add("transp", "TRANSPARENT")
    zh = chinese()
    event.add(
        "summary",
        _("%(amount)s due: %(bond)s")
        % {"amount": yuan_text(payment.amount, chinese=zh), "bond": tranche.name},
    )
    lines = [
        _("Bond: %(code)s %(name)s") % {"code": tranche.code, "name": tranche.name},
        _("Interest: %(amount)s") % {"amount": yuan_text(payment.interest, chinese=zh)},
        _("Principal: %(amount)s") % {"amount": yuan_text(payment.principal, chinese=zh)},
    ]
    if payment.due_on != payment.payment_day:
        lines.append(
            _("Due on %(day)s, a day off; paid on the next working day.")
            % {"day": payment.due_on.isoformat()}
        )
    lines += [f"{name}: {yuan_text(amount, chinese=zh)}" for name, amount in payment.projects]
    event.add("description", "\n".join(lines))
    event.add("categories", [_("Special bonds")])
    event.add("url", site % {"year": payment.payment_day.year})
    for days in REMIND_DAYS:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("trigger", timedelta(days=-days))
        alarm.add(
            "description", _("In %(n)d days: %(summary)s") % {"n": days, "summary": str(event["summary"])}
        )
        event.add_component(alarm)
    return event
