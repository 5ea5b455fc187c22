"""Reading the program's own YAML files."""

from pathlib import Path
from typing import Any

import yaml

# Written in C where the wheel has it, eight times as fast: commands start with it.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_yaml(path: Path) -> Any:
    """Return the document in a YAML file; only plain values are made of it."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506  (both loaders are safe ones)
