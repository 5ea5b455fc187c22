"""The sites of projects on the map."""

from collections.abc import Collection, Iterable

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from yuanmai.common.geometry import inner_point
from yuanmai.core.figures import Query
from yuanmai.places.queries.layers import MOST_FEATURES, Feature, Frame, Layer, register_layer
from yuanmai.projects.permissions import SEE_PROJECTS
from yuanmai.projects.queries import states


def sites(frame: Frame, org_ids: Collection[int]) -> Iterable[Feature]:
    """Yield a mark in the site of every project that has one, as of the page's day (one query)."""
    rows = states(Query(tuple(org_ids), frame.as_of, frame.known_at)).filter(has_site=True)
    rows = rows.select_related("version", "project").order_by("name", "pk")
    for state in rows[:MOST_FEATURES]:
        if state.version.site:
            detail = " · ".join(filter(None, [str(state.get_stage_display()), state.responsible]))
            url = reverse("projects:record", args=[state.project.uid])
            yield Feature(
                f"project-{state.project.uid}", state.name, inner_point(state.version.site), url, detail
            )


register_layer(Layer("sites", _("Project sites"), "point", sites, SEE_PROJECTS, "danger", order=60))
