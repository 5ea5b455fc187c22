"""What the title and the name of a sheet say of all its rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .spec import KindSpec
from .text import squeeze

_LISTS = re.compile(r"(重中之重|重点技改|(?:省|市|县|区|镇|州)(?:级)?重点)(?=项目|工程|技改|$)")


def lists_named(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the lists of key projects that the texts name, each once: 市重点, 重中之重 …"""
    return tuple(dict.fromkeys(m[1].replace("级", "") for text in texts for m in _LISTS.finditer(text)))


def sheet_values(name: str, titles: Sequence[str], spec: KindSpec) -> dict[str, object]:
    """What the name of a sheet, or its title, says of all its projects: the one kind it names."""
    for rule in spec.groups:
        if rule.by != "values":
            continue
        values = {
            c: words for c, words in (spec.fields[rule.field].values or {}).items() if not c.startswith("~")
        }
        for text in (squeeze(name), *titles[:1]):
            named = {
                code for code, words in values.items() for word in words if len(word) > 1 and word in text
            }
            if len(named) == 1:
                return {rule.field: named.pop()}
    return {}
