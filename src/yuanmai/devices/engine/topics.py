"""Patterns of topics: which topics a device uses, and which device a topic names.

`{key}` stands for the part that names the device, `{anything}` for a part that does not matter, `+` for a whole level, `#` for the rest.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from yuanmai.devices.engine.registry import DeviceSpec

# What every device may use, whatever its profile says.
DEFAULT_TOPICS = ("v1/devices/me/telemetry", "devices/{key}/telemetry", "devices/{key}/data")
COMMANDS = ("devices/{key}/commands",)
ANSWERS = ("devices/{key}/answers",)
_LEVEL = re.compile(r"topic:(\d{1,2})")


@lru_cache(maxsize=16384)
def compiled(topic: str) -> re.Pattern[str]:
    """Return what a pattern of topics matches. Raises ValueError for one that is none."""
    parts: list[str] = []
    keys = 0
    levels = topic.split("/")
    for place, level in enumerate(levels):
        if level == "#":
            if place != len(levels) - 1:
                raise ValueError(f"topics: {topic}: # stands only at the end")
            if parts:
                parts[-1] += "(?:/.*)?"
            else:
                parts.append(".*")
        elif level == "+":
            parts.append("[^/]*")
        else:
            keys += level.count("{key}")
            if "#" in level or "+" in level:
                raise ValueError(f"topics: {topic}: + and # stand alone")
            inner = re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(level.replace("{key}", "\0")))
            parts.append(inner.replace("\0", "(?P<key>[^/]+)"))
    if keys > 1:
        raise ValueError(f"topics: {topic}: {{key}} stands once")
    return re.compile("/".join(parts))


def filter_of(topic: str) -> str:
    """Return the filter of MQTT that hears all topics of a pattern."""
    return "/".join("+" if "{" in level else level for level in topic.split("/"))


def key_in(topic: str, patterns: Iterable[str]) -> str:
    """Return the device that a topic names by the first pattern it fits, or an empty text."""
    for pattern in patterns:
        found = compiled(pattern).fullmatch(topic)
        if found is not None:
            return found["key"] if "{key}" in pattern else ""
    return ""


def topic_fits(topic: str, patterns: Iterable[str], key: str) -> bool:
    """Return whether a topic is one of these patterns and, where it names a device, names this one."""
    for pattern in patterns:
        found = compiled(pattern).fullmatch(topic)
        if found is not None and ("{key}" not in pattern or found["key"] == key):
            return True
    return False


def topics_in(profile: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the patterns of topics in a profile. Raises ValueError for what is none.

    `topics` (or `topic`) is a pattern or a list; `key: "topic:1"` says that the second level names the device, as `{key}` does.
    """
    given = profile.get("topics", profile.get("topic", ()))
    patterns = (given,) if isinstance(given, str) else tuple(given)
    place = _LEVEL.fullmatch(str(profile.get("key", "")))
    found = []
    for pattern in patterns:
        if not isinstance(pattern, str) or not pattern:
            raise ValueError(f"topics: {pattern!r} is no topic")
        if place is not None:
            levels = pattern.split("/")
            if int(place[1]) < len(levels) and levels[int(place[1])] == "+":
                levels[int(place[1])] = "{key}"
            pattern = "/".join(levels)
        compiled(pattern)
        found.append(pattern)
    return tuple(found)


def topics_of(device: DeviceSpec) -> tuple[str, ...]:
    """Return the patterns of topics on which a device tells something: those of its profile, and those every device may use."""
    try:
        return topics_in(device.profile) + DEFAULT_TOPICS
    except (ValueError, TypeError):
        return DEFAULT_TOPICS


def command_topics(device: DeviceSpec) -> tuple[str, ...]:
    """Return where a device may hear commands: at `commands` of its profile, then at those every device may use."""
    return _own(device, "commands", COMMANDS)


def answer_topics(device: DeviceSpec) -> tuple[str, ...]:
    """Return where a device may answer them: at `answers` of its profile, then at those every device may use."""
    return _own(device, "answers", ANSWERS)


def _own(device: DeviceSpec, name: str, common: tuple[str, ...]) -> tuple[str, ...]:
    told = device.profile.get(name)
    patterns = (told, *common) if isinstance(told, str) and told else common
    return tuple(dict.fromkeys(pattern.replace("{key}", device.key) for pattern in patterns))
