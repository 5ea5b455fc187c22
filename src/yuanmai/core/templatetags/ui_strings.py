"""The words of the islands (TypeScript custom elements): the base template hands them over in the reader's language."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

STRINGS: dict[str, Promise | str] = {
    # everywhere
    "close": _("Close"),
    "cancel": _("Cancel"),
    "undo": _("Undo"),
    "loading": _("Loading …"),
    "failed": _("That did not work. Check the connection and try again."),
    "offline": _("No connection. What you entered is still here; it can be saved once you are back online."),
    "online": _("Connected again."),
    "unsaved": _("You have unsaved changes. Leave the page without saving?"),
    # chart
    "chart.table": _("Show as table"),
    "chart.chart": _("Show as chart"),
    "chart.download": _("Save as picture"),
    "chart.empty": _("No data for this period."),
    # history of points
    "history.excluded": _("excluded"),
    "history.band": _("least to greatest"),
    "history.gap": _("nothing came"),
    "history.increase": _("increase"),
    "history.whole": _("Show the whole range"),
    "history.keys": _("Arrow keys move from reading to reading, with Shift in larger steps."),
    # map
    "map.layers": _("Layers"),
    "map.fit": _("Show everything"),
    "map.tilt": _("3D view"),
    "map.flat": _("Flat view"),
    "map.list": _("List of what is on the map"),
    "map.open": _("Open"),
    "map.empty": _("Nothing in this scope has a position yet."),
    "map.nogl": _(
        "This browser cannot draw the map (WebGL2 is missing). The list beside it has the same content."
    ),
    "map.partial": _("Some layers could not be loaded."),
    "map.zoomin": _("Zoom in"),
    "map.zoomout": _("Zoom out"),
    "map.north": _("Reset to north"),
    "map.attribution": _("Own data"),
    "map.canvas": _("Map"),
    # palette
    "palette.label": _("Search everything"),
    "palette.hint": _("Name, code, or pinyin initials"),
    "palette.none": _("Nothing found for “{q}”."),
    "palette.short": _("Type to search projects, organisations, places, figures and pages."),
    "palette.move": _("to move"),
    "palette.go": _("to open"),
    # sheet
    "sheet.paste": _("Cells can be pasted from Excel."),
    "sheet.save": _("Save all"),
    "sheet.saving": _("Saving …"),
    "sheet.saved": _("{n} rows saved."),
    "sheet.changed": _("{n} rows changed"),
    "sheet.errors": _("{n} cells to correct"),
    "sheet.warnings": _("{n} cells to check"),
    "sheet.unchanged": _("Nothing changed yet."),
    "sheet.number": _("Not a number"),
    "sheet.negative": _("Must not be negative"),
    "sheet.max": _("Must not exceed {max}"),
    "sheet.required": _("Must be filled in"),
    "sheet.date": _("Not a date (year-month-day)"),
    "sheet.choice": _("Choose one of: {list}"),
    "sheet.less": _("Less than last time ({prev})"),
    "sheet.previous": _("last: {prev}"),
    "sheet.row": _("Row"),
    "sheet.toolong": _("The paste has more rows than the sheet; {n} rows were left out."),
    # dropzone
    "drop.chosen": _("{n} files chosen"),
    "drop.remove": _("Remove"),
    "drop.toobig": _("{name} is larger than {max} MB."),
    "drop.kind": _("{name} is not one of the accepted kinds ({kinds})."),
    # job
    "job.eta": _("about {time} left"),
    "job.seconds": _("{n} s"),
    "job.minutes": _("{n} min"),
    "job.cancel": _("Cancel"),
    "job.cancelling": _("Cancelling …"),
    "job.done": _("Done"),
    "job.failed": _("Failed"),
    "job.cancelled": _("Cancelled"),
    "job.waiting": _("Waiting"),
    "job.running": _("Running"),
    "job.lost": _("No answer from the server; trying again …"),
    # lists
    "list.columns": _("Columns"),
    "list.none": _("No match"),
    "list.selected": _("{n} selected"),
}
