"""What hatchling asks this project when it builds: its dependencies, its translations, its assets.

The dependencies are those of requirements/base.in, so that there is one list. The translations (``.mo``) are compiled
here; the assets (scripts, styles, fonts) are built with Node by ``make setup`` and only checked here, so that installing
the wheel never needs Node.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface


class Dependencies(MetadataHookInterface):
    """Reads ``project.dependencies`` from requirements/base.in."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Set ``metadata["dependencies"]``, one requirement for each line that is not a comment."""
        text = (Path(self.root) / "requirements" / "base.in").read_text("utf-8")
        lines = (line.split("#", 1)[0].strip() for line in text.splitlines())
        metadata["dependencies"] = [line for line in lines if line]


class Contents(BuildHookInterface):  # type: ignore[type-arg]
    """Compiles the translations, and refuses to make a wheel without assets."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects the files. Raises SystemExit naming what to run first."""
        package = Path(self.root) / "src" / "yuanmai"
        if self.target_name == "wheel" and version != "editable":
            if not any((package / "assets").glob("**/manifest.json")):
                raise SystemExit(
                    "src/yuanmai/assets is not built: run 'make setup' first, then build the wheel."
                )
            if not any((package / "assets" / "fonts").glob("*")):
                raise SystemExit(
                    "src/yuanmai/assets/fonts is empty: run 'make setup' first, then build the wheel."
                )
        _messages(package).compile_all(package)


def _messages(package: Path) -> Any:
    """The module yuanmai.common.messages, loaded by its path: the package is not installed yet when it is built."""
    spec = importlib.util.spec_from_file_location("yuanmai_messages", package / "common" / "messages.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"{package}/common/messages.py is missing")
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look their module up by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
