"""What governs every page: the chosen organisation, the as-of date and, if asked for, the moment of knowledge."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from yuanmai.core.audit.log import versions
from yuanmai.core.figures import Query
from yuanmai.core.web.frame import SESSION_KEY, parse_day, parse_moment
from yuanmai.people.actor import UserActor
from yuanmai.people.models import Organisation


@dataclass(frozen=True)
class OrgView:
    """An organisation as the scope switch shows it."""

    id: int
    code: str
    name: str
    kind: str
    depth: int
    path: str
    default_as_of: date | None


class ViewContext:
    """The frame of a page. `org_ids` are the chosen organisation's subtree within the user's data scope."""

    def __init__(
        self,
        actor: UserActor,
        orgs: list[OrgView],
        org: OrgView | None,
        as_of: date,
        known_at: datetime | None,
    ) -> None:
        self.actor = actor
        self.orgs = orgs
        self.org = org
        self.as_of = as_of
        self.known_at = known_at

    @cached_property
    def org_ids(self) -> tuple[int, ...]:
        """Ids of the chosen organisation and all below it that the user may see."""
        if self.org is None:
            return ()
        return tuple(o.id for o in self.orgs if o.path.startswith(self.org.path))

    def query(self, **filters: str) -> Query:
        """Return the figure query of this page."""
        return Query(self.org_ids, self.as_of, self.known_at, tuple(sorted(filters.items())))

    @property
    def is_past(self) -> bool:
        """Whether the page shows another day than today, or earlier knowledge."""
        return self.known_at is not None or self.as_of != timezone.localdate()

    @property
    def parameters(self) -> dict[str, str]:
        """The frame as URL parameters, so that a link shows the same thing to someone else."""
        values = {"org": self.org.code if self.org else "", "as_of": self.as_of.isoformat()}
        if self.known_at is not None:
            values["known_at"] = self.known_at.isoformat()
        return values


def visible_orgs(actor: UserActor) -> list[OrgView]:
    """Return the organisations of the actor's data scope in tree order, kept until the people room changes."""
    key = f"orgs:{actor.user_id}:{timezone.localdate()}:{versions().get('people', 0)}:{get_language()}"
    orgs = cache.get(key)
    if orgs is None:
        nodes = Organisation.objects.filter(id__in=actor.org_ids()).order_by("path")
        orgs = [OrgView(o.pk, o.code, o.label, o.kind, o.depth, o.path, o.default_as_of) for o in nodes]
        cache.set(key, orgs)
    return orgs


def view_context(request: HttpRequest, actor: UserActor) -> ViewContext:
    """Resolve the frame: URL parameters first, then what the session remembers, then the defaults."""
    remembered: dict[str, Any] = request.session.get(SESSION_KEY, {})
    orgs = visible_orgs(actor)
    by_code = {org.code: org for org in orgs}
    asked = request.GET.get("org") or remembered.get("org") or ""
    org = by_code.get(asked)
    if org is None:
        homes = {post.org_id for post in actor.grants.posts}
        org = next((o for o in orgs if o.id in homes), orgs[0] if orgs else None)
    text = request.GET.get("as_of") or remembered.get("as_of")
    as_of = (
        parse_day(text)
        if text
        else (org.default_as_of if org and org.default_as_of else timezone.localdate())
    )
    text = request.GET.get("known_at") or remembered.get("known_at")
    return ViewContext(actor, orgs, org, as_of, parse_moment(text) if text else None)
