"""What depends on the day alone is looked at every night."""

from datetime import date

from yuanmai.core.actions import Act, action
from yuanmai.core.findings import Finding
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.funds.findings.bond_kinds import OF_THE_DAY
from yuanmai.funds.findings.bonds import refresh_idle_findings
from yuanmai.funds.models import Allotment
from yuanmai.funds.permissions import ISSUE_BONDS


@action("funds.look_for_idle", permission=ISSUE_BONDS)
def look_for_idle(act: Act, as_of: date) -> int:
    """Find the bond money whose time to be spent was over on a day; returns how many findings are open."""
    orgs = set(Allotment.objects.filter(retracted_at=None).values_list("project__org_id", flat=True))
    refresh_idle_findings(act, orgs, as_of)
    count = Finding.objects.filter(kind__in=OF_THE_DAY, gone_until=KNOWN_FOREVER).count()
    act.log(None, after={"as_of": as_of, "findings": count})
    return count
