"""What subscriptions deliver: the to-dos as an iCalendar document (RFC 5545), a saved view or a figure as a mail."""

import hmac
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from hashlib import blake2b
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from yuanmai.core.figures import FIGURES, Query
from yuanmai.core.policy import Denied
from yuanmai.core.saved.digests import DIGESTS, tell_figure
from yuanmai.core.scope import open_scope
from yuanmai.core.todo import Todo
from yuanmai.core.web.links import link
from yuanmai.people.actor import UserActor, subtree_ids
from yuanmai.people.backends import may_sign_in
from yuanmai.people.models import Subscription
from yuanmai.people.passwords import must_change
from yuanmai.people.tokens import digest_of

TOUCH = timedelta(minutes=5)  # how exact "last used" is


def calendar_owner(text: str, address: str, now: datetime) -> tuple[Subscription, UserActor] | None:
    """Return the subscription behind an address and who may see what; None where it is unknown, ended, or its owner locked."""
    prefix, _dash, secret = text.partition("-")
    if not secret or not prefix or len(prefix) > 12:
        return None
    row = Subscription.objects.select_related("user").filter(prefix=prefix, kind="calendar").first()
    if row is None or row.ended_at is not None or not hmac.compare_digest(row.digest, digest_of(secret)):
        return None
    if not may_sign_in(row.user) or must_change(row.user):
        return None
    if row.delivered_at is None or now - row.delivered_at >= TOUCH:
        Subscription.objects.filter(pk=row.pk).update(delivered_at=now)
    return row, UserActor.of(row.user, via="feed", address=address)


def todo_calendar(items: Iterable[Todo], now: datetime, site: str) -> bytes:
    """Return the to-dos that have a deadline as whole-day events on it; `site` is the beginning of the program's address.

    The identity of an event is what is to be done and until when, so that fetching again makes no second one.
    """
    from icalendar import Calendar, Event  # a quarter of a second that other processes need not wait

    document = Calendar()
    document.add("prodid", "-//Yuanmai//To-dos//EN")
    document.add("version", "2.0")
    document.add("calscale", "GREGORIAN")
    document.add("method", "PUBLISH")
    document.add("x-wr-calname", _("To-dos"))
    document.add("x-wr-timezone", settings.TIME_ZONE)
    document.add("refresh-interval", timedelta(hours=6), parameters={"VALUE": "DURATION"})
    for item in items:
        if item.due is None:
            continue
        mark = blake2b(f"{item.url}|{item.due}".encode(), digest_size=12).hexdigest()
        event = Event()
        event.add("uid", f"{mark}@yuanmai")
        event.add("dtstamp", now)
        event.add("dtstart", item.due)
        event.add("dtend", item.due + timedelta(days=1))
        event.add("transp", "TRANSPARENT")
        event.add("summary", str(item.title))
        event.add("description", f"{item.reason}\n{item.action}")
        event.add("url", f"{site.rstrip('/')}{item.url}")
        document.add_component(event)
    return bytes(document.to_ical())


def is_due(row: Subscription, now: datetime) -> bool:
    """Whether a mail is to be sent: once a day from seven, weekly ones on Monday or, if that was missed, as soon as possible."""
    local = timezone.localtime(now)
    if local.hour < 7:
        return False
    today = local.date()
    since = today if row.every == Subscription.Every.DAY else today - timedelta(days=today.weekday())
    last = row.delivered_at or row.created_at
    if row.delivered_at is None and row.every == Subscription.Every.DAY:
        return timezone.localdate(last) < today
    return timezone.localdate(last) < since


def mail_of(row: Subscription, today: date) -> EmailMessage:
    """Write the mail of a subscription in its language, by what its owner may see now.

    Raises `Denied` with the reason where the owner may not, or no longer, see it.
    """
    user = row.user
    if not may_sign_in(user):
        raise Denied(_("The account cannot sign in."))
    actor = UserActor.of(user, via="mail")
    lines, path, parameters = _told(row, actor, today)
    org = row.org.label if row.org else ""
    frame = urlencode(
        {**parameters, **({"org": row.org.code} if row.org else {}), "as_of": today.isoformat()}
    )
    base = settings.BASE_URL.rstrip("/")
    body = [
        _("%(name)s · %(place)s · as of %(day)s")
        % {"name": row.name, "place": org, "day": today.isoformat()},
        "",
        *lines,
        "",
        f"{base}{path}?{frame}",
        "",
        _("You get this because you subscribed to it. To end it:"),
        f"{base}{reverse('people:subscriptions')}",
    ]
    subject = " · ".join(part for part in (row.name, org, today.isoformat()) if part)
    return EmailMessage(" ".join(subject.split()), "\n".join(body), settings.DEFAULT_FROM_EMAIL, [user.email])


def _told(row: Subscription, actor: UserActor, today: date) -> tuple[list[str], str, dict[str, str]]:
    """Return the lines, and the page that they stand for with its parameters."""
    if row.kind == "figure":
        figure = FIGURES.get(row.figure)
        if figure is None:
            raise Denied(_("This figure no longer exists."))
        permission, path, parameters = figure.permission, link("cockpit:figure", row.figure), {}
    else:
        assert row.view is not None
        if row.view.user_id != row.user_id and not (row.view.shared and row.view.org_id in actor.org_ids()):
            raise Denied(_("This view is no longer shared with you."))
        path, parameters = row.view.path, dict(parse_qsl(row.view.query))
        digest = DIGESTS.get(_name_of(path))
        if digest is None:
            raise Denied(_("This list cannot be sent by mail."))
        permission = digest.permission
    query = _query(row, actor, permission, today)
    with open_scope(actor.org_ids()):
        if row.kind == "figure":
            return tell_figure(row.figure, query), path, parameters
        return list(DIGESTS[_name_of(path)].tell(query, parameters)), path, parameters


def _name_of(path: str) -> str:
    try:
        return resolve(path).view_name
    except Resolver404:
        return ""


def _query(row: Subscription, actor: UserActor, permission: str, today: date) -> Query:
    if permission:
        actor.require(permission)
    allowed = set(actor.org_ids(permission) if permission else actor.org_ids())
    if row.org is not None:
        allowed &= set(subtree_ids([row.org.path])[row.org.path])
    if not allowed:
        raise Denied(_("You may no longer see anything of this organisation."))
    return Query(tuple(sorted(allowed)), today)
