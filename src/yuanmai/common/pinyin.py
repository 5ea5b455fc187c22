"""Pinyin of names, so that people find them by typing initials."""

import re
from functools import lru_cache

_RUNS = re.compile(r"[\u3400-\u9fff]+|[^\u3400-\u9fff]+")


@lru_cache(maxsize=20_000)
def _syllables(run: str) -> tuple[str, str]:
    """Return initials and full pinyin of a run of Chinese characters; names repeat their parts."""
    # The dictionary is large; a process that names nothing need not load it.
    from pypinyin import lazy_pinyin

    full = lazy_pinyin(run)
    return "".join(part[:1] for part in full), "".join(full)


def pinyin_of(text: str) -> str:
    """Return initials and full pinyin, both searchable: 坦洲园厂房 → ``tzycf tanzhouyuanchangfang`` (at most 400 characters).

    What is not Chinese stands in both, in small letters.
    """
    parts = [_syllables(run) if "\u3400" <= run[0] <= "\u9fff" else (run, run) for run in _RUNS.findall(text)]
    return f"{''.join(p[0] for p in parts)} {''.join(p[1] for p in parts)}".lower()[:400]
