"""The profile of a device or template is checked where it is typed."""

import pytest
from django.core.exceptions import ValidationError

from yuanmai.devices.registry.forms import json_object


@pytest.mark.parametrize(
    "text", ["", "  ", '{"crc": "modbus", "encoding": "gbk", "timeout": 2}', '{"topics": "a/{key}/b"}']
)
def test_what_can_be_used_is_taken(text: str) -> None:
    assert isinstance(json_object(text), dict)


@pytest.mark.parametrize(
    ("text", "named"), [('{"a":', "line 1"), ("[1]", "JSON object"), ('{"time_unit": "hours"}', "time_unit")]
)
def test_what_cannot_is_named(text: str, named: str, english: None) -> None:
    with pytest.raises(ValidationError, match=named):
        json_object(text)
