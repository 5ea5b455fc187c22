"""The REST interface: one API object, to which each room's router is mounted."""

from importlib import import_module
from importlib.util import find_spec

from yuanmai.core.api.openapi import make_api
from yuanmai.core.api.views import description_views

# Prefix → module whose `router` (or `routers`: prefix → router) is mounted there.
ROOMS = {
    "": "yuanmai.people.api",
    "figures": "yuanmai.cockpit.api",
    "places": "yuanmai.places.api",
    "enterprises": "yuanmai.enterprises.api",
    "projects": "yuanmai.projects.api",
    "funds": "yuanmai.funds.api",
    "imports": "yuanmai.core.workbooks.api",
    "findings": "yuanmai.core.findings_api",
    "jobs": "yuanmai.core.jobs.api",
    "audit": "yuanmai.core.audit.api",
}

api = make_api()
for prefix, module in ROOMS.items():
    if find_spec(module) is not None:
        api.add_router(prefix, import_module(module).router)
openapi, reference = description_views(api)
