"""Addresses of the devices room: what each subject brings in its own `urls.py`."""

from importlib import import_module
from importlib.util import find_spec

from django.urls import URLResolver, include, path

app_name = "devices"

# (where, subject): the register stands at the root, so its addresses are tried last.
SUBJECTS = (
    ("commands/", "commands"),
    ("rules/", "rules"),
    ("live/", "live"),
    ("readings/", "readings"),
    ("", "registry"),
)


def _subjects() -> list[URLResolver]:
    found = []
    for prefix, subject in SUBJECTS:
        package = f"{__package__}.{subject}"
        if find_spec(package) and find_spec(f"{package}.urls"):
            found.append(path(prefix, include(import_module(f"{package}.urls"))))
    return found


urlpatterns = _subjects()
