"""Names and filters of topics: what is one, and which filters hear a name."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Generic, TypeVar

LONGEST = 65535
Value = TypeVar("Value")


def is_name(text: str) -> bool:
    """Return whether a message may go to it: something, without wildcards and NUL."""
    return bool(text) and "+" not in text and "#" not in text and "\0" not in text


def is_filter(text: str) -> bool:
    """Return whether it may be subscribed to: `+` stands for a whole level, `#` for all levels from the last one on."""
    if not text or "\0" in text:
        return False
    if "#" in text and (text.index("#") != len(text) - 1 or (len(text) > 1 and text[-2] != "/")):
        return False
    return "+" not in text or all(level == "+" or "+" not in level for level in text.split("/"))


@lru_cache(maxsize=65536)
def name_of(raw: bytes) -> str | None:
    """Return the name in these bytes; nothing where they are no UTF-8 or no name. The empty one (of an alias) passes."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    return text if not text or is_name(text) else None


def matches(pattern: str, name: str) -> bool:
    """Return whether a filter hears a name. A wildcard at the first level hears no name that begins with `$`."""
    if name.startswith("$") and not pattern.startswith("$"):
        return False
    wanted, levels = pattern.split("/"), name.split("/")
    for place, want in enumerate(wanted):
        if want == "#":
            return True
        if place >= len(levels) or want not in ("+", levels[place]):
            return False
    return len(wanted) == len(levels)


class _Level(Generic[Value]):
    __slots__ = ("below", "values")

    def __init__(self) -> None:
        self.below: dict[str, _Level[Value]] = {}
        self.values: dict[object, Value] = {}


class Tree(Generic[Value]):
    """Who listens to what: values by filter and owner, found by name in time that does not grow with their number."""

    def __init__(self) -> None:
        self._root: _Level[Value] = _Level()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, pattern: str, owner: object, value: Value) -> bool:
        """Keep the value of an owner under a filter; return whether the owner had none there."""
        level = self._root
        for part in pattern.split("/"):
            level = level.below.setdefault(part, _Level())
        new = owner not in level.values
        self._size += new
        level.values[owner] = value
        return new

    def remove(self, pattern: str, owner: object) -> bool:
        """Forget it; return whether there was one."""
        path = [self._root]
        parts = pattern.split("/")
        for part in parts:
            below = path[-1].below.get(part)
            if below is None:
                return False
            path.append(below)
        if owner not in path[-1].values:
            return False
        del path[-1].values[owner]
        self._size -= 1
        while parts and not path[-1].values and not path[-1].below:
            path.pop()
            del path[-1].below[parts.pop()]
        return True

    def find(self, name: str) -> Iterator[tuple[object, Value]]:
        """Return owners and values of all filters that hear a name; an owner comes once for each of its filters."""
        if not self._size:
            return
        parts = name.split("/")
        hidden = name.startswith("$")
        levels = [self._root]
        for place, part in enumerate(parts):
            following: list[_Level[Value]] = []
            for level in levels:
                below = level.below
                wild = place or not hidden
                if wild and (every := below.get("#")) is not None:
                    yield from every.values.items()
                if (exact := below.get(part)) is not None:
                    following.append(exact)
                if wild and (one := below.get("+")) is not None:
                    following.append(one)
            if not following:
                return
            levels = following
        for level in levels:
            yield from level.values.items()
            if (every := level.below.get("#")) is not None:
                yield from every.values.items()
