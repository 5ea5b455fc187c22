"""Run inside an installation (`python populate.py`): devices of one protocol with their points, straight into the register.

Reads a list of {"protocol", "keys", "addresses", "profile", "secret_hash", "rules"} from stdin; prints a list of {key: [numbers by address]}.
"""

import json
import sys
from typing import Any

import django

django.setup()

from django.utils import timezone  # noqa: E402

from yuanmai.core.audit.models import RoomVersion  # noqa: E402
from yuanmai.core.scope import everywhere  # noqa: E402
from yuanmai.devices.models import AlarmRule, AlarmRuleVersion, Device, Point, ProductTemplate  # noqa: E402
from yuanmai.people.models import Organisation  # noqa: E402


def make(order: dict[str, Any]) -> dict[str, list[int]]:
    """Make the devices; return the numbers of their points."""
    org = Organisation.objects.filter(code="bench").first() or Organisation.add_root(
        code="bench", name="压测园", name_en="Bench Park", kind="park"
    )
    protocol = order["protocol"]
    template, _new = ProductTemplate.objects.get_or_create(
        org=org,
        code=f"bench-{protocol}",
        defaults={"name": protocol, "protocol": protocol, "profile": order.get("profile", {})},
    )
    Device.objects.bulk_create(
        [
            Device(
                org=org, code=key, name=key, template=template, protocol=protocol, key=key, silence_after=86_400,
                secret_hash=order.get("secret_hash", ""),
            )
            for key in order["keys"]
        ],
        batch_size=500,
    )  # fmt: skip
    devices = dict(Device.objects.filter(template=template).values_list("key", "pk"))
    Point.objects.bulk_create(
        [
            Point(device_id=devices[key], code=f"p{place}", name=address, address=address, order=place)
            for key in order["keys"]
            for place, address in enumerate(order["addresses"])
        ],
        batch_size=500,
    )
    found: dict[int, list[int]] = {}
    for device, number in (
        Point.objects.filter(device__template=template)
        .order_by("device_id", "order")
        .values_list("device_id", "pk")
    ):
        found.setdefault(device, []).append(number)
    for number in range(order.get("rules", 0)):
        # Each looks at one point of every device; the first is broken now and then, the others never.
        rule = AlarmRule.objects.create(
            org=org, code=f"bench-{number}", name=f"rule {number}", created_at=timezone.now()
        )
        point = f"p{number % len(order['addresses'])}"
        version = AlarmRuleVersion.objects.create(
            rule=rule, number=1, severity=1, template=template, source="bench", since=timezone.now(),
            definition={"when": {"kind": "threshold", "point": point, "compare": "above", "limit": 150 if number else 99.75, "hysteresis": 5 + number}},
        )  # fmt: skip
        AlarmRule.objects.filter(pk=rule.pk).update(current=version)
    row, _new = RoomVersion.objects.get_or_create(room="devices", defaults={"sequence": 0})
    RoomVersion.objects.filter(pk=row.pk).update(sequence=row.sequence + 1)
    return {key: found[pk] for key, pk in devices.items()}


if __name__ == "__main__":
    with everywhere():
        print(json.dumps([make(order) for order in json.load(sys.stdin)]))
