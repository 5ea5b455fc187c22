"""What can be found from everywhere: projects, places, organisations, colleagues, figures, pages, findings, blockers."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from yuanmai.cockpit.answers import visible
from yuanmai.core.findings import KINDS, Finding
from yuanmai.core.permissions import SEE_FIGURES, SEE_FINDINGS
from yuanmai.core.policy import Actor
from yuanmai.core.search import SOURCES, Hit, matching, rank_of, ranked, register_source
from yuanmai.core.web.links import link
from yuanmai.core.web.navigation import ITEMS
from yuanmai.people.models import Organisation, Post, User
from yuanmai.people.permissions import SEE_ORGANISATIONS
from yuanmai.places.models import Building, GridCell, Parcel, Park, Zone
from yuanmai.places.permissions import SEE_PLACES
from yuanmai.projects.models import Blocker
from yuanmai.projects.permissions import SEE_PROJECTS

USERS_MAX = 5000


def _line(*parts: Any) -> str:
    return " · ".join(str(part) for part in parts if part)


def find_places(actor: Actor, text: str, limit: int) -> Sequence[Hit]:
    """Find parks, zones, grid cells, parcels and buildings by name or code (one query each)."""
    hits: list[Hit] = []
    for model in (Park, Zone, GridCell, Parcel, Building):
        rows = (
            model._default_manager.filter(matching(text, "name", "name_en", "code"))
            .annotate(hit_rank=ranked(text, "name", "code"))
            .order_by("hit_rank", "name", "pk")
            .select_related("org")[:limit]
        )
        kind = str(model._meta.verbose_name)
        for row in rows:
            url = _place_url(row, model._meta.model_name or "")
            hits.append(Hit(row.label, url, _line(kind, row.code, row.org.label), "map-pin", row.hit_rank))
    return hits


def _place_url(row: Any, kind: str) -> str:
    return link("places:record", kind, row.pk) or f"{reverse('places:map')}?selected={kind}-{row.pk}"


def find_organisations(actor: Actor, text: str, limit: int) -> Sequence[Hit]:
    """Find organisations of the data scope by name, code or pinyin; opening one makes it the scope of the pages."""
    wanted = set(actor.org_ids())
    hits = []
    for pk, code, name, names in organisation_names(tuple(sorted(wanted)), get_language() or ""):
        rank = rank_of(text, name, code, *names)
        if pk in wanted and rank is not None:
            hits.append(Hit(name, f"/?org={code}", code, "sitemap", rank))
    return sorted(hits, key=lambda hit: hit.rank)[:limit]


def organisation_names(ids: tuple[int, ...], language: str) -> list[tuple[int, str, str, tuple[str, ...]]]:
    """Return (id, code, label, other names) of organisations (one query)."""
    rows = Organisation.objects.filter(pk__in=ids).order_by("path")
    return [(o.pk, o.code, o.label, (o.name, o.name_en, o.short_name)) for o in rows]


def find_users(actor: Actor, text: str, limit: int) -> Sequence[Hit]:
    """Find colleagues who hold a post in an organisation that the actor may look into."""
    posts = Post.objects.filter(org_id__in=actor.org_ids(SEE_ORGANISATIONS)).values("user_id")
    rows = User.objects.filter(is_active=True, pk__in=posts).prefetch_related("posts__org", "posts__role")
    found = []
    if text.isascii():
        # Names carry no pinyin of their own; there are hundreds of colleagues, not millions.
        named = ((rank_of(text, user.full_name, user.username), user) for user in rows[:USERS_MAX])
        found = sorted(((rank, user) for rank, user in named if rank is not None), key=lambda pair: pair[0])[
            :limit
        ]
    else:
        ranked_rows = rows.filter(matching(text, "full_name", "username")).annotate(
            hit_rank=ranked(text, "full_name")
        )
        found = [(user.hit_rank, user) for user in ranked_rows.order_by("hit_rank", "full_name")[:limit]]
    return [
        Hit(
            user.full_name or user.username,
            reverse("people:user", args=[user.pk]),
            _posts(user),
            "user",
            rank,
        )
        for rank, user in found
    ]


def _posts(user: User) -> str:
    return ", ".join(f"{post.role.label} · {post.org.label}" for post in list(user.posts.all())[:2])


def find_figures(actor: Actor, text: str, limit: int) -> Sequence[Hit]:
    """Find figures by name, code or pinyin."""
    hits = []
    for figure in visible(actor):
        rank = rank_of(text, str(figure.name), figure.code)
        if rank is not None:
            hits.append(
                Hit(str(figure.name), f"/figures/{figure.code}", str(figure.definition), "chart-bar", rank)
            )
    return sorted(hits, key=lambda hit: hit.rank)[:limit]


def find_pages(actor: Actor, text: str, limit: int) -> Sequence[Hit]:
    """Find pages of the navigation that the actor may open."""
    hits = []
    for item in ITEMS:
        if item.permission and actor.why_not(item.permission):
            continue
        rank = rank_of(text, str(item.label))
        if rank is not None:
            hits.append(Hit(str(item.label), reverse(item.url_name), "", item.icon, rank))
    return sorted(hits, key=lambda hit: hit.rank)[:limit]


def find_findings(actor: Actor, text: str, limit: int) -> Sequence[Hit]:
    """Find findings by the words of their sentence, the newest 400 of the scope."""
    rows = Finding.objects.filter(org_id__in=actor.org_ids(SEE_FINDINGS)).order_by("-found_at", "-id")[:400]
    hits = []
    for row in rows:
        sentence = row.sentence
        kind = KINDS.get(row.kind)
        if all(word.lower() in f"{sentence} {kind.name if kind else ''}".lower() for word in text.split()):
            url = reverse("cockpit:finding", args=[row.pk])
            hits.append(Hit(sentence, url, row.get_state_display(), "alert-triangle", 3))
        if len(hits) == limit:
            break
    return hits


def find_blockers(actor: Actor, text: str, limit: int) -> Sequence[Hit]:
    """Find blockers by what stops the project (one query)."""
    rows = (
        Blocker.objects.filter(matching(text, "title", "body"), org_id__in=actor.org_ids(SEE_PROJECTS))
        .annotate(hit_rank=ranked(text, "title"))
        .order_by("hit_rank", "-opened_on", "id")[:limit]
    )
    return [
        Hit(
            row.title,
            reverse("projects:blocker", args=[row.pk]),
            _line(row.get_kind_display(), row.get_state_display(), row.body),
            "octagon",
            row.hit_rank,
        )
        for row in rows
    ]


# What a room below offers itself (in its own `search.py`, loaded before this one) is left to it.
for _code, _name, _find, _permission, _icon, _order in (
    ("figures", _("Figures"), find_figures, SEE_FIGURES, "chart-bar", 20),
    ("pages", _("Pages of the program"), find_pages, "", "file", 30),
    ("places", _("Places"), find_places, SEE_PLACES, "map-pin", 50),
    ("organisations", _("Organisations"), find_organisations, "", "sitemap", 60),
    ("people", _("Colleagues"), find_users, SEE_ORGANISATIONS, "user", 70),
    ("blockers", _("Blockers"), find_blockers, SEE_PROJECTS, "octagon", 80),
    ("findings", _("Findings"), find_findings, SEE_FINDINGS, "alert-triangle", 90),
):
    if _code not in SOURCES:
        register_source(_code, _name, _find, permission=_permission, icon=_icon, order=_order)
