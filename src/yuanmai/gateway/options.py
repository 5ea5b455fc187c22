"""How one gateway is set up: its name, where it listens, how much it takes. From the command line and the environment."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from yuanmai.gateway.hub import Limits


@dataclass(frozen=True, slots=True)
class Options:
    """A port of 0 is one that the system chooses, -1 none at all: the listener is not started."""

    name: str
    home: Path
    host: str = "127.0.0.1"
    hj212_port: int = -1
    jt808_port: int = -1  # TCP and UDP
    mqtt_port: int = -1  # the embedded broker
    mqtts_port: int = -1  # the same with TLS
    limits: Limits = field(default_factory=Limits)
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    journal_root: Path | None = None  # default: `journal` in the home

    @property
    def journals(self) -> Path:
        """The folder under which every process has the folder of its own journal."""
        return self.journal_root or self.home / "journal"


def default_name() -> str:
    """Return the name of a gateway that was given none: that of the machine."""
    return os.environ.get("YUANMAI_GATEWAY_NAME") or f"gateway-{socket.gethostname().split('.')[0]}"[:60]


def limits_of(environment: Mapping[str, str]) -> Limits:
    """Return the limits with what `YUANMAI_GATEWAY_CONNECTIONS` and the like say instead of the defaults.

    Raises ValueError naming the variable where a value is no number above zero.
    """
    given: dict[str, int | float] = {}
    for known in fields(Limits):
        name = f"YUANMAI_GATEWAY_{known.name.upper()}"
        text = environment.get(name, "").strip()
        if not text:
            continue
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not 0 < value < 1e12:
            raise ValueError(f"{name}={text}: a number above zero is wanted")
        given[known.name] = int(value) if isinstance(known.default, int) else value
    return replace(Limits(), **given)  # type: ignore[arg-type]  # numbers by name
