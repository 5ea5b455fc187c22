"""Loading of the role presets."""

from pathlib import Path
from typing import Any

import yaml

from yuanmai.people.models import Role


def role_presets() -> list[dict[str, Any]]:
    """Return the roles that a new installation starts with."""
    document = yaml.safe_load((Path(__file__).parent / "presets" / "roles.yaml").read_text())
    return list(document["roles"])


def ensure_roles() -> int:
    """Create the preset roles that are missing (never changing an edited one); return how many were created."""
    missing = {role["code"]: role for role in role_presets()}
    for code in Role.objects.filter(code__in=missing).values_list("code", flat=True):
        del missing[code]
    Role.objects.bulk_create([Role(**role) for role in missing.values()], ignore_conflicts=True)
    return len(missing)
