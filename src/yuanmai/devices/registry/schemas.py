"""What programs send and are told about devices: the bodies, filters and answers of `api`."""

from datetime import date, datetime
from typing import Any

from pydantic import Field

from yuanmai.core.api import Schema
from yuanmai.devices.models import Device, UnknownDevice
from yuanmai.devices.models.registry import PointKind, Protocol
from yuanmai.devices.registry.series import MOST_POINTS
from yuanmai.devices.registry.tables import standing


class DeviceOut(Schema):
    """A device of the register."""

    id: int
    organisation: str = Field(description="code of the organisation")
    code: str
    name: str
    template: int
    protocol: Protocol
    key: str = Field(description="what the device calls itself in its protocol")
    state: str = Field(description="online, offline, never, paused, retired")
    last_seen: datetime | None
    park: str | None = Field(description="code of the park")
    building: int | None
    enterprise: int | None
    parent: int | None
    longitude: float | None
    latitude: float | None
    mobile: bool
    enabled: bool
    silence_after: int
    installed_on: date | None
    note: str


def device_out(row: Device) -> DeviceOut:
    """Return a device as it is shown."""
    state = getattr(row, "state", None)
    return DeviceOut(
        id=row.pk, organisation=row.org.code, code=row.code, name=row.name, template=row.template_id,
        protocol=Protocol(row.protocol), key=row.key, state=standing(row), last_seen=state.last_seen if state else None,
        park=row.park.code if row.park else None, building=row.building_id, enterprise=row.enterprise_id, parent=row.parent_id,
        longitude=row.longitude, latitude=row.latitude, mobile=row.mobile, enabled=row.enabled, silence_after=row.silence_after,
        installed_on=row.installed_on, note=row.note,
    )  # fmt: skip


class DeviceFilter(Schema):
    """Which devices."""

    q: str | None = Field(None, max_length=60, description="part of name, code or identity")
    protocol: Protocol | None = None
    template: int | None = None
    state: str | None = Field(None, pattern="^(online|offline|never)$")
    use: str | None = Field(
        None, pattern="^(yes|no|retired)$", description="in use, paused, or taken out of the register"
    )


class DeviceIn(Schema):
    """A device to be entered; the points of its template come with it."""

    organisation: str = Field(max_length=60)
    template: int
    code: str = Field(max_length=60)
    name: str = Field(max_length=120)
    name_en: str = Field("", max_length=160)
    key: str = Field("", max_length=200, description="of HTTP empty: the code")
    park: str | None = Field(None, max_length=60, description="code")
    building: int | None = None
    enterprise: int | None = None
    parent: int | None = None
    longitude: float | None = None
    latitude: float | None = None
    mobile: bool | None = None
    enabled: bool = True
    silence_after: int | None = None
    installed_on: date | None = None
    note: str = Field("", max_length=4000)


class DeviceChange(Schema):
    """What is to be changed; what is left out stays."""

    code: str | None = Field(None, max_length=60)
    name: str | None = Field(None, max_length=120)
    name_en: str | None = Field(None, max_length=160)
    key: str | None = Field(None, max_length=200)
    park: str | None = Field(None, max_length=60)
    building: int | None = None
    enterprise: int | None = None
    longitude: float | None = None
    latitude: float | None = None
    enabled: bool | None = None
    silence_after: int | None = None
    note: str | None = Field(None, max_length=4000)


class UnknownOut(Schema):
    """Somebody who speaks to the gateway and is in no register."""

    id: int
    protocol: Protocol
    key: str
    address: str
    frames: int
    first_seen: datetime
    last_seen: datetime
    sample: dict[str, Any] = Field(description="what the last frame says: address and value")
    template: int | None = Field(description="the template that fits best")


def unknown_out(row: UnknownDevice, template: int | None) -> UnknownOut:
    """Return somebody unknown with the number of the template that fits best."""
    said = row.sample.get("addresses") if isinstance(row.sample, dict) else {}
    return UnknownOut(
        id=row.pk, protocol=Protocol(row.protocol), key=row.key, address=row.address, frames=row.frames, first_seen=row.first_seen,
        last_seen=row.last_seen, sample=said if isinstance(said, dict) else {}, template=template,
    )  # fmt: skip


class Adoption(Schema):
    """What somebody unknown is taken into the register as; what is left out is as proposed."""

    organisation: str = Field(max_length=60)
    template: int | None = None
    code: str | None = Field(None, max_length=60)
    name: str | None = Field(None, max_length=120)
    park: str | None = Field(None, max_length=60)
    extra: bool = Field(True, description="whether what it says beyond the template becomes points, too")


class PointDoc(Schema):
    """A point: what it means, where it stands in the device's language, what is plausible."""

    id: int | None = Field(None, description="of a stored point; its readings stand under this number")
    code: str = Field(max_length=60)
    name: str = Field(max_length=120)
    name_en: str = Field("", max_length=160)
    kind: PointKind = PointKind.GAUGE
    address: str = Field(max_length=160)
    unit: str = Field("", max_length=30)
    scale: float = 1.0
    offset: float = 0.0
    low: float | None = None
    high: float | None = None
    deadband: float = 0.0
    decimals: int = Field(2, ge=0, le=9)
    states: dict[str, str] = Field(default_factory=dict, description='names of states, {"0": "关|Off"}')
    writable: bool = False

    @classmethod
    def of(cls, row: Any, *, numbered: bool = True) -> "PointDoc":
        """Return a stored point as a document."""
        names = [name for name in cls.model_fields if name != "id"]
        return cls(id=row.pk if numbered else None, **{name: getattr(row, name) for name in names})

    def told(self) -> dict[str, Any]:
        """Return it as the actions take it."""
        values = self.dict()
        values["pk"] = values.pop("id")
        values["kind"] = self.kind.value
        return values


class PointsIn(Schema):
    """All points of a device; one that is left out is retired."""

    points: list[PointDoc] = Field(max_length=500)


class LatestOut(Schema):
    """The newest value of a point."""

    point: str = Field(description="code of the point")
    id: int
    unit: str
    time: datetime | None
    value: float | None
    quality: int | None = Field(description="bits; 0 is good")
    words: list[str] = Field(description="what is wrong with it, in words")


class HistoryFilter(Schema):
    """Which points and when."""

    point: list[str] = Field(
        default_factory=list, max_length=MOST_POINTS, description="codes; the first point where none is given"
    )
    range: str | None = Field(None, pattern="^(24h|7d|30d|365d)$")
    since: str | None = Field(None, alias="from", max_length=40, description="day, or moment with zone")
    until: str | None = Field(None, alias="to", max_length=40)
    step: str | None = Field(None, pattern="^(raw|hour|day)$")


class SeriesOut(Schema):
    """The history of a point: columns of equal length; a null is a gap."""

    point: int
    code: str
    name: str
    unit: str
    kind: PointKind
    time: list[int] = Field(description="milliseconds since 1970, UTC")
    value: list[float | None] = Field(
        description="readings, or means of hours or days; of meter counts what they grew by"
    )
    low: list[float | None] = Field(default_factory=list)
    high: list[float | None] = Field(default_factory=list)
    excluded: list[tuple[int, float | None, str]] = Field(
        description="time, value and reason of what enters no mean"
    )
    gaps: list[tuple[int, int]]
    interval: float = Field(description="usual distance of readings in seconds")
    thinned: bool
