"""The audit log for programs, such as a log collector."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from yuanmai.core.api import ApiRequest, CursorPage, CursorPaging, Query, Router, Schema, paginate_by_key
from yuanmai.core.audit.log import verify
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.audit.queries import entries, search
from yuanmai.core.audit.words import action_name
from yuanmai.core.permissions import SEE_AUDIT

router = Router(tags=["audit"])


class AuditFilter(Schema):
    """Which entries."""

    since: date | None = Field(None, description="first day, local time")
    until: date | None = Field(None, description="last day, local time")
    who: str = Field("", max_length=150)
    action: str = Field("", max_length=80)
    result: Literal["", "done", "refused", "failed"] = ""
    target: str = Field(
        "", max_length=200, description="name or id of what it was done to, or a request's id"
    )


class AuditOut(Schema):
    """One thing that was done."""

    sequence: int
    at: datetime
    actor: str
    via: str
    address: str
    action: str
    action_name: str
    result: str
    target_type: str
    target_id: str
    target_name: str
    before: Any
    after: Any
    request_id: str
    previous: str = Field(description="hash of the entry before")
    hash: str

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditOut":
        """Return an entry's document."""
        return cls(
            sequence=entry.sequence,
            at=entry.at,
            actor=entry.actor,
            via=entry.via,
            address=entry.address,
            action=entry.action,
            action_name=action_name(entry.action),
            result=entry.result,
            target_type=entry.target_type,
            target_id=entry.target_id,
            target_name=entry.target_name,
            before=entry.before,
            after=entry.after,
            request_id=entry.request_id,
            previous=entry.previous,
            hash=entry.hash,
        )


class VerdictOut(Schema):
    """Whether the log is as it was written."""

    whole: bool
    entries: int
    first_bad: int | None = Field(description="position of the first entry that is not as it was written")
    reason: str


@router.get("", permission=SEE_AUDIT, response=CursorPage[AuditOut])
def list_entries(
    request: ApiRequest, filters: Query[AuditFilter], paging: Query[CursorPaging]
) -> CursorPage[AuditOut]:
    """List what was done within your data scope, newest first."""
    rows = search(
        entries(request.actor),
        since=filters.since,
        until=filters.until,
        who=filters.who,
        action=filters.action,
        result=filters.result,
        target=filters.target,
    )
    return paginate_by_key(request, rows, paging, AuditOut.of, key="sequence")


@router.get("/verify", permission=SEE_AUDIT, response=VerdictOut)
def verify_log(request: ApiRequest) -> VerdictOut:
    """Walk the whole chain and say whether an entry was changed, deleted, moved or cut off."""
    verdict = verify()
    broken = verdict.broken
    return VerdictOut(
        whole=verdict.whole,
        entries=verdict.entries,
        first_bad=broken.position if broken else None,
        reason=broken.reason if broken else "",
    )
