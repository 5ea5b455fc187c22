"""The verbs of the register: what they refuse, what they pass on, what they leave in the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from tests.conftest import Orgs
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.policy import SYSTEM, Denied
from yuanmai.core.scope import everywhere
from yuanmai.devices.engine.addresses import address_fits, key_fits, normal_key, numbered
from yuanmai.devices.models import Device, Point
from yuanmai.devices.queries import load_registry, registry_version
from yuanmai.devices.registry import actions
from yuanmai.devices.registry.actions.devices import undo_change
from yuanmai.devices.registry.actions.secrets import secret_hash
from yuanmai.devices.registry.views.points import rows_of
from yuanmai.people.actor import UserActor
from yuanmai.people.models import User

Make = Callable[..., Device]


@pytest.mark.parametrize(
    ("protocol", "key", "kept", "fits"),
    [
        ("jt808", " 013800000001 ", "13800000001", True), ("jt808", "粤A12345", "粤A12345", False), ("hj212", "A_1-b", "A_1-b", True),
        ("modbus", "10.0.0.8:502/1", "10.0.0.8:502/1", True), ("modbus", "10.0.0.8:502/256", "10.0.0.8:502/256", False),
        ("dlt645", "Bus.local:4001/12345", "bus.local:4001/000000012345", True), ("cjt188", "h:1/0a", "h:1/0000000000000A", True),
        ("sparkplug", "park/node", "park/node", True), ("sparkplug", "park", "park", False), ("mqtt", "a+b", "a+b", False),
    ],
)  # fmt: skip
def test_identities_are_kept_as_devices_say_them(protocol: str, key: str, kept: str, fits: bool) -> None:
    assert normal_key(protocol, key) == kept
    assert key_fits(protocol, kept) is fits


@pytest.mark.parametrize(
    ("protocol", "address", "fits"),
    [
        ("hj212", "w01018-Rtd", True), ("hj212", "Nh3-scr-Rtd", True), ("hj212", "w01018-Avg@2051", True), ("hj212", "w01018", False),
        ("modbus", "holding:100:float32:CDAB", True), ("modbus", "holding:70000", False), ("modbus", "coil:3:float32", False),
        ("dlt645", "0001FF00", True), ("dlt645", "0001ff00", False), ("mqtt", "data[0].temp", True), ("mqtt", "a b", False),
        ("jt808", "alarm.sos", True), ("sparkplug", "Inputs/Flow rate", True),
    ],
)  # fmt: skip
def test_addresses_are_written_as_the_protocol_wants(protocol: str, address: str, fits: bool) -> None:
    assert address_fits(protocol, address) is fits


def test_patterns_count_on() -> None:
    assert numbered("lamp-{n:03}", 7) == "lamp-007"
    assert numbered("13800000009", 3) == "13800000012"
    assert numbered("10.0.0.8:502/1", 4) == "10.0.0.8:502/5"
    assert numbered("lamp", 2) == "lamp2"


@pytest.mark.django_db
def test_a_template_passes_its_changes_on_but_for_what_was_adjusted(
    make_device: Make, library: Any, orgs: Orgs
) -> None:
    plain, adjusted = make_device(orgs.north), make_device(orgs.north)
    with everywhere():
        Point.objects.filter(device=adjusted, code="power").update(high=55.0)
        template = library["mqtt-street-lamp"]
        rows = rows_of(template.points.order_by("order"))
        power = next(row for row in rows if row["code"] == "power")
        power |= {"high": "300", "deadband": "0.5"}
        rows.append({"code": "rssi", "name": "信号", "address": "rssi", "unit": "dBm"})
        version = registry_version()
        assert actions.revise_template(SYSTEM, template, rows, pass_on=True) == 2
        found = {device.pk: device.points.get(code="power") for device in (plain, adjusted)}
        assert (found[plain.pk].high, found[plain.pk].deadband) == (300.0, 0.5)
        assert (found[adjusted.pk].high, found[adjusted.pk].deadband) == (55.0, 0.5)
        assert adjusted.points.get(code="rssi").unit == "dBm"
        assert registry_version() > version
        with pytest.raises(ValidationError):
            actions.revise_template(SYSTEM, template)


@pytest.mark.django_db
def test_points_keep_their_number_when_they_go_and_come_back(make_device: Make, orgs: Orgs) -> None:
    device = make_device(orgs.north)
    with everywhere():
        rows = rows_of(device.points.order_by("order"))
        number = next(row["pk"] for row in rows if row["code"] == "power")
        actions.adjust_points(SYSTEM, device, [row for row in rows if row["code"] != "power"])
        assert Point.objects.get(pk=number).retired_at is not None
        spec = load_registry().devices[device.pk]
        assert "power" not in spec.points
        actions.adjust_points(SYSTEM, device, rows)
        assert Point.objects.get(device=device, code="power").pk == number
        assert load_registry().devices[device.pk].points["power"][0].number == number
        doubled = [*rows, {"code": "power", "name": "功率", "address": "p2"}]
        with pytest.raises(ValidationError, match="power"):
            actions.adjust_points(SYSTEM, device, doubled)


@pytest.mark.django_db
def test_a_row_of_devices_is_entered_whole_or_not_at_all(
    library: Any, make_device: Make, orgs: Orgs, english: None
) -> None:
    make_device(orgs.foreign, key="k-5")
    with everywhere():
        before = Device.objects.count()
        with pytest.raises(ValidationError, match="Device 5"):
            actions.add_many(
                SYSTEM, orgs.north.pk, library["mqtt-gate"], count=9, code="g-{n}", name="道闸", key="k-{n}"
            )
        assert Device.objects.count() == before


@pytest.mark.django_db
def test_a_device_is_not_a_part_of_its_own_parts(make_device: Make, orgs: Orgs) -> None:
    top = make_device(orgs.north)
    middle = make_device(orgs.north, parent=top)
    low = make_device(orgs.north, parent=middle)
    with everywhere():
        with pytest.raises(ValidationError) as caught:
            actions.revise_device(SYSTEM, top, parent=low)
        assert set(caught.value.message_dict) == {"parent"}
        foreign = make_device(orgs.foreign)
        with pytest.raises(ValidationError):
            actions.revise_device(SYSTEM, top, parent=foreign)


@pytest.mark.django_db
def test_retiring_frees_the_identity_and_restoring_asks_for_it_again(make_device: Make, orgs: Orgs) -> None:
    old = make_device(orgs.north, key="lamp-1")
    with everywhere():
        actions.retire_devices(SYSTEM, [old])
    new = make_device(orgs.south, key="lamp-1")
    with everywhere():
        with pytest.raises(ValidationError):
            actions.restore_devices(SYSTEM, [old])
        actions.retire_devices(SYSTEM, [new])
        assert actions.restore_devices(SYSTEM, [old]) == 1


@pytest.mark.django_db
def test_nobody_changes_what_lies_outside_his_organisation(
    make_device: Make,
    make_user: Callable[..., User],
    actor_of: Callable[..., UserActor],
    orgs: Orgs,
    in_scope: Any,
) -> None:
    own, foreign = make_device(orgs.north), make_device(orgs.foreign)
    actor = actor_of(make_user("operator", orgs.north))
    with everywhere():
        _number, step = actions.enable_many(SYSTEM, [foreign], False)
    assert step is not None
    with everywhere():
        for attempt in (
            lambda: actions.revise_device(actor, foreign, name="x"),
            lambda: actions.retire_devices(actor, [own, foreign]),
            lambda: actions.enable_many(actor, [own, foreign], True),
            lambda: actions.new_secret(actor, foreign),
            lambda: actions.adjust_points(actor, foreign, []),
            lambda: undo_change(actor, step),
        ):
            with pytest.raises(Denied):
                attempt()
        own.refresh_from_db()
        assert own.retired_at is None


@pytest.mark.django_db
def test_secrets_suit_the_protocol_and_never_stand_in_the_log(make_device: Make, orgs: Orgs) -> None:
    lamp, truck = make_device(orgs.north), make_device(orgs.north, "jt808-vehicle", key="13800000001")
    with everywhere():
        long, short = actions.new_secret(SYSTEM, lamp), actions.new_secret(SYSTEM, truck)
    assert len(long) == 32
    assert len(short) == 12
    with everywhere():  # the PW of HJ 212 has six signs
        assert (
            len(
                actions.new_secret(
                    SYSTEM, make_device(orgs.north, "hj212-wastewater", key="010000A8900016F000169DC0")
                )
            )
            == 6
        )
    assert short.isascii()
    assert secret_hash(long) == lamp.secret_hash
    told = str(list(AuditEntry.objects.values_list("before", "after")))
    assert long not in told
    assert short not in told
    assert lamp.secret_hash not in told
