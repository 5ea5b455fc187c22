"""The REST interface: one API object, to which each room's router is mounted."""

from yuanmai.cockpit.api import router as figures
from yuanmai.core.api.openapi import make_api
from yuanmai.core.api.views import description_views
from yuanmai.core.audit.api import router as audit
from yuanmai.core.findings_api import router as findings
from yuanmai.core.jobs.api import router as jobs
from yuanmai.core.workbooks.api import router as imports
from yuanmai.devices.commands.api import router as device_commands
from yuanmai.devices.readings.api import router as readings
from yuanmai.devices.registry.api import router as devices
from yuanmai.devices.registry.template_api import router as device_templates
from yuanmai.devices.rules.api import alarms as device_alarms
from yuanmai.devices.rules.api import rules as alarm_rules
from yuanmai.enterprises.api import router as enterprises
from yuanmai.funds.api import router as funds
from yuanmai.funds.insight.api import router as insight
from yuanmai.funds.issuing.api import router as issuing
from yuanmai.funds.papers.api import router as papers
from yuanmai.funds.paying.api import router as paying
from yuanmai.funds.reserve.api import router as reserve
from yuanmai.people.api import router as people
from yuanmai.places.api import router as places
from yuanmai.projects.api import router as projects

api = make_api()
api.add_router("", people)
api.add_router("figures", figures)
api.add_router("places", places)
api.add_router("enterprises", enterprises)
api.add_router("projects", projects)
api.add_router("funds", funds)
api.add_router("funds/bonds", issuing)
api.add_router("funds/insight", insight)
api.add_router("funds/paying", paying)
api.add_router("funds/reserve", reserve)
api.add_router("funds/papers", papers)
api.add_router("devices/commands", device_commands)
api.add_router("devices/alarms", device_alarms)
api.add_router("devices/rules", alarm_rules)
api.add_router("readings", readings)
api.add_router("devices", devices)
api.add_router("devices/templates", device_templates)
api.add_router("imports", imports)
api.add_router("findings", findings)
api.add_router("jobs", jobs)
api.add_router("audit", audit)
openapi, reference = description_views(api)
