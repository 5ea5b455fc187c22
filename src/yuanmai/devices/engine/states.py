"""Names of states: `{"0": "关|Off", "1": "开|On"}`, in Chinese and, behind the bar, in English."""

from collections.abc import Mapping


def state_word(states: Mapping[str, str], value: float, *, english: bool = False) -> str:
    """Return what a state is called; "" where it has no name. A name without a bar serves both languages."""
    name = states.get(str(int(value))) if value == int(value) else None
    if name is None:
        return ""
    chinese, _bar, other = name.partition("|")
    return (other or chinese).strip() if english else chinese.strip()


def states_of(text: str) -> dict[str, str]:
    """Read `0=关|Off; 1=开|On` (full-width signs, commas and line ends too). Raises ValueError with the part that is none."""
    found: dict[str, str] = {}
    for sign in ("；", ";", "，", ",", "、"):
        text = text.replace(sign, "\n")
    for part in filter(None, (piece.strip() for piece in text.splitlines())):
        number, equals, name = part.replace("＝", "=").replace("：", "=").replace(":", "=").partition("=")
        if not equals or not number.strip().lstrip("-").isdigit() or not name.strip():
            raise ValueError(part)
        found[str(int(number))] = name.strip().replace("｜", "|")[:60]
    return found


def states_text(states: Mapping[str, str]) -> str:
    """Return the names of states as they are typed."""
    return "; ".join(f"{number}={name}" for number, name in states.items())
