"""Keeping and throwing away saved views; remembering preferences."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.permissions import SEE_FIGURES
from yuanmai.core.policy import refuse
from yuanmai.core.saved.models import Preference, SavedView

# What belongs to the moment and not to the view: whoever opens it keeps his own frame and starts at page one.
MOMENTARY = ("page", "org", "as_of", "known_at")


@action("core.save_view", permission=SEE_FIGURES)
def save_view(act: Act, path: str, name: str, query: str, *, shared: bool, org_id: int | None) -> SavedView:
    """Keep the list at `path` with its query under a name; the same name again replaces the view."""
    name = name.strip()[:60]
    if not name:
        raise ValidationError({"name": [_("A view needs a name.")]})
    kept = urlencode([(k, v) for k, v in parse_qsl(query) if k not in MOMENTARY])
    if len(kept) > 2000:
        raise ValidationError({"query": [_("This view has too many filters to be saved.")]})
    if act.actor.user_id is None:
        raise refuse(_("Only people keep views."))
    view, _created = SavedView.objects.update_or_create(
        user_id=act.actor.user_id,
        path=path[:200],
        name=name,
        defaults={"query": kept, "shared": shared, "org_id": org_id},
        create_defaults={"query": kept, "shared": shared, "org_id": org_id, "created_at": act.now},
    )
    act.log(view, org_id=org_id, after={"path": path, "query": kept, "shared": shared}, name=name)
    return view


@action("core.delete_view", permission=SEE_FIGURES)
def delete_view(act: Act, view: SavedView) -> None:
    """Throw one of the actor's own views away."""
    if view.user_id != act.actor.user_id:
        raise refuse(_("Only the person who saved a view can delete it."))
    act.log(view, org_id=view.org_id, before={"path": view.path, "query": view.query}, name=view.name)
    view.delete()


def remember(user_id: int, key: str, value: Any) -> None:
    """Keep a preference of a user; writes only when it changes."""
    if preference(user_id, key) != value:
        Preference.objects.update_or_create(user_id=user_id, key=key, defaults={"value": value})


def preference(user_id: int, key: str, default: Any = None) -> Any:
    """Return what a user chose last, or `default`."""
    value = Preference.objects.filter(user_id=user_id, key=key).values_list("value", flat=True).first()
    return default if value is None else value
