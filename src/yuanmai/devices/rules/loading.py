"""The rules in force, as the engine takes them."""

import logging
from collections import defaultdict
from collections.abc import Iterable

from yuanmai.core.audit.models import RoomVersion
from yuanmai.core.scope import everywhere
from yuanmai.devices.engine.registry import Registry
from yuanmai.devices.engine.rules.definition import DefinitionError, read
from yuanmai.devices.engine.rules.target import Rule
from yuanmai.devices.models import AlarmRule, AlarmRuleVersion, Device
from yuanmai.people.models import Organisation

logger = logging.getLogger(__name__)


def rules_version() -> int:
    """Return the version of the rules: it grows with every action on them."""
    return RoomVersion.objects.filter(room="rules").values_list("sequence", flat=True).first() or 0


class Places:
    """Which devices a rule is applied to (two queries for any number of rules)."""

    def __init__(self, devices: Iterable[int] | None = None) -> None:
        rows = Device.objects.filter(retired_at=None, enabled=True)
        if devices is not None:
            rows = rows.filter(pk__in=list(devices))
        self.devices = list(rows.order_by("pk").values_list("pk", "org_id", "template_id", "park_id"))
        self.paths = dict(Organisation.objects.values_list("pk", "path"))
        self._by_template: dict[int, list[tuple[int, int, int, int | None]]] = defaultdict(list)
        for row in self.devices:
            self._by_template[row[2]].append(row)

    def of(self, version: AlarmRuleVersion, org_id: int) -> tuple[int, ...]:
        """Return the devices of a version of a rule of an organisation."""
        top = self.paths[org_id]
        rows = self.devices if version.template_id is None else self._by_template[version.template_id]
        wanted = set(version.device_ids)
        return tuple(
            pk
            for pk, org, _template, park in rows
            if self.paths.get(org, "").startswith(top)
            and (version.park_id is None or park == version.park_id)
            and (not wanted or pk in wanted)
        )


def load_rules(registry: Registry) -> list[Rule]:
    """Return every rule in use with its devices; a constant number of queries. A rule that cannot be read is left out and logged."""
    found = []
    with everywhere():
        places = Places()
        rows = AlarmRule.objects.filter(enabled=True, retired_at=None).exclude(current=None)
        for row in rows.select_related("current").order_by("pk"):
            version = row.current
            assert version is not None
            try:
                definition = read(version.definition)
            except DefinitionError as error:
                logger.error("alarm rule %s cannot be read: %s", row.code, error)
                continue
            devices = tuple(pk for pk in places.of(version, row.org_id) if pk in registry.devices)
            found.append(Rule(row.pk, version.number, version.severity, definition, devices))
    return found
