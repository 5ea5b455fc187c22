"""Topics: what they are, and which events they let through."""

import pytest

from yuanmai.devices.live.feed import Cursor
from yuanmai.devices.live.topics import Event, Topics, joined

STATE = Event("state", 1, 7, {"device": 7, "at": None})
MOVED = Event("state", 1, 8, {"device": 8, "at": [112.9, 22.7]})
ALARM = Event("alarm", 1, 7, {"alarm": 3})
COMMAND = Event("command", 1, 7, {"command": "x"})
LATEST = Event("latest", 1, 7, {"points": {}})


@pytest.mark.parametrize(
    ("topics", "wanted"),
    [
        ("devices", [STATE, MOVED]),
        ("positions", [MOVED]),
        ("alarms", [ALARM]),
        ("commands", [COMMAND]),
        ("device:7", [STATE, ALARM, COMMAND, LATEST]),
        ("device:9", []),
        ("alarms,device:8", [MOVED, ALARM]),
        ("", []),
    ],
)
def test_topics_let_through_what_belongs_to_them(topics: str, wanted: list[Event]) -> None:
    read = Topics.read(topics)
    assert [event for event in (STATE, MOVED, ALARM, COMMAND, LATEST) if read.want(event)] == wanted


@pytest.mark.parametrize(
    "text", ["all", "device:0", "device:x", "device:", "alarms,'; drop", ",".join(["alarms"] * 101)]
)
def test_what_is_no_topic_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Topics.read(text)


def test_the_union_asks_for_everything_once() -> None:
    union = joined([Topics.read("alarms,device:3"), Topics.read("device:4"), Topics.read("alarms")])
    assert union.names == {"alarms", "device:3", "device:4"}
    assert union.devices == {3, 4}


@pytest.mark.parametrize("text", ["", "1.2.3", "1.2.3.x", "-1.2.3.4", "1.2.3.99999999999999999999"])
def test_a_broken_cursor_is_none(text: str) -> None:
    assert Cursor.read(text) is None


def test_a_cursor_comes_back_as_it_was() -> None:
    assert Cursor.read(str(Cursor(1, 22, 333, 4444))) == Cursor(1, 22, 333, 4444)
