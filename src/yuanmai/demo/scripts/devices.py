"""The devices of the demonstration, as the simulators play them; but for the strangers, who wait to be adopted."""

from typing import Any

from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.demo.geography import move
from yuanmai.demo.presets import preset
from yuanmai.demo.scripts.common import named
from yuanmai.demo.simulators.park import meter_ports
from yuanmai.devices.models import Device, ProductTemplate
from yuanmai.devices.registry.actions.devices import add_device
from yuanmai.devices.registry.actions.templates import load_templates
from yuanmai.devices.rules.presets import presets, take_over
from yuanmai.people.models import Organisation
from yuanmai.places.models import Park

OF_STATION = {
    "32": "hj212-wastewater",
    "31": "hj212-fluegas",
    "39": "hj212-dust",
    "27": "hj212-voc",
    "23": "hj212-noise",
}
METER_HOST = "127.0.0.1"


def load() -> int:
    """Register the library of templates and the devices; return how many devices are new. A second time changes nothing."""
    data: dict[str, Any] = preset("devices")
    with everywhere():
        org = Organisation.objects.get(code=data["org"])
        if Device.objects.filter(org=org, synthetic=True).exists():
            return 0
        for root in Organisation.get_root_nodes():
            load_templates(SYSTEM, root.pk)
        templates = {row.code: row for row in ProductTemplate.objects.filter(org=org.get_root())}
        park = Park.objects.get(org=org, code=data["park"])
        rows = [_device(entry, templates, park) for entry in entries(data)]
        for row in rows:
            add_device(SYSTEM, org.pk, **row)
        take_over(SYSTEM, org, presets(), park)
        Device.objects.filter(org=org, code__in=[row["code"] for row in rows]).update(synthetic=True)
    return len(rows)


def entries(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every device of the preset with its template, identity and position in metres around the centre."""
    lamps, (bus, registers) = data["lamps"], meter_ports()
    return [
        *({**e, "template": OF_STATION[e["kind"]], "key": e["mn"]} for e in data["stations"]),
        *(
            {**e, "template": "jt808-hazmat" if e.get("hazmat") else "jt808-vehicle", "key": e["phone"]}
            for e in data["terminals"]
        ),
        *(
            {
                "code": f"{lamps['prefix']}-{n + 1:02d}", "name": f"{lamps['name']} {n + 1:02d}",
                "name_en": f"{lamps['name_en']} {n + 1:02d}", "template": "mqtt-street-lamp",
                "key": f"{lamps['prefix']}-{n + 1:02d}", "east": lamps["east"] + n * lamps["step"], "north": lamps["north"],
            }
            for n in range(lamps["count"])
        ),
        *({**e, "template": "mqtt-gate", "key": e["code"]} for e in data["gates"]),
        *({**e, "template": "mqtt-environment", "key": e["code"]} for e in data["sensors"]),
        *(
            {**e, "template": "dlt645-three-phase", "key": f"{METER_HOST}:{bus}/{e['address']}"}
            for e in data["meters"]["list"]
        ),
        *(
            {**e, "template": "modbus-power-meter", "key": f"{METER_HOST}:{registers + n}/1"}
            for n, e in enumerate(data["registers"]["list"])
        ),
    ]  # fmt: skip


def _device(entry: dict[str, Any], templates: dict[str, ProductTemplate], park: Park) -> dict[str, Any]:
    """Return what the register is to know of a device."""
    template = templates[entry["template"]]
    row: dict[str, Any] = {
        "code": entry["code"],
        "name": named(entry["name"]),
        "name_en": f"{entry['name_en']} (sample)",
        "template": template,
        "key": entry["key"],
        "park": park,
    }
    if "east" in entry:
        longitude, latitude = preset("heshan")["map"]["centre"]
        row["longitude"], row["latitude"] = move((longitude, latitude), entry["east"], entry["north"])
    return row
