"""The control that draws areas on the map: what it is told. The fields of the form stay, for the keyboard and for pasting."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# Layers of the map that help with drawing; the others can be switched on.
SHOWN = ("parks", "zones", "buildings", "vehicles")
# A first click, a second one, and what can be done afterwards; measures are put in by the page.
WORDS = {
    "bar": _("Draw on the map"),
    "circle": _("Circle"),
    "rectangle": _("Rectangle"),
    "polygon": _("Polygon"),
    "line": _("Route"),
    "centre": _("Point at the centre of the map"),
    "back": _("Undo"),
    "clear": pgettext_lazy("drawing", "Clear"),
    "circle.first": _("Click on the middle of the circle."),
    "circle.second": _("Click where its edge shall be."),
    "circle.done": _("Drag the middle to move the circle, the dot on its edge to change the radius."),
    "rectangle.first": _("Click on one corner of the rectangle."),
    "rectangle.second": _("Click on the corner opposite."),
    "rectangle.done": _("Drag a corner to change the rectangle."),
    "polygon.first": _("Click on the corners one after another; three are needed."),
    "polygon.done": _("Click for further corners, drag dots to change the area, press Delete on a dot to remove it."),
    "line.first": _("Click on the turning points one after another; two are needed."),
    "line.done": _("Click for further points, drag dots to change the route, press Delete on a dot to remove it."),
    "unreadable": _("What stands in the field cannot be drawn: one point a line is wanted, longitude and latitude."),
    "middle": _("Middle of the circle"),
    "rim": _("Edge of the circle"),
    "corner": _("Point {n}"),
    "between": _("New point here"),
    "round": _("Radius {radius}, area {area}."),
    "area": _("Area {area}."),
    "length": _("Length {length}."),
    "m": _("{n} m"),
    "km": _("{n} km"),
    "m2": _("{n} m²"),
    "km2": _("{n} km²"),
}  # fmt: skip


def drawing(tools: Sequence[str], fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the context of `devices/_draw.html`: what may be drawn (the first is begun with) and the ids of the fields by what they hold."""
    return {
        "map_url": f"{reverse('places:map_layers')}?show={','.join(SHOWN)}",
        "setup": {
            "tools": list(tools),
            "fields": dict(fields),
            "words": {key: str(word) for key, word in WORDS.items()},
        },
    }
