"""The separation of the three administrators (pure).

GB/T 22239-2019, 8.1.4.2 and 8.1.5.1-3: system, security and audit administration are in different hands, and an
administrator's account does no business. So the roles of one account all belong to one group.
"""

from collections.abc import Collection

BUSINESS = "business"
ADMINISTRATORS = frozenset({"system", "security", "audit"})

# Rights that make an administrator; a business role never carries them, and neither does another administrator's.
RESERVED = {
    "people.organise": "system",
    "people.manage_users": "system",
    "core.system": "system",
    "people.grant": "security",
}


def conflicting(held: Collection[str], wanted: str) -> str | None:
    """Return the group among `held` that forbids a role of the group `wanted`, or None.

    >>> conflicting({"system"}, "audit")
    'system'
    >>> conflicting({"business"}, "business") is None
    True
    """
    others = sorted(set(held) - {wanted})
    return others[0] if others and ({wanted, *held} & ADMINISTRATORS) else None


def effective_groups(groups: Collection[str]) -> frozenset[str]:
    """Return the groups whose roles count. Where an account came to hold two, its administrators' roles do not count."""
    found = frozenset(groups)
    return found if len(found) < 2 or not found & ADMINISTRATORS else found - ADMINISTRATORS


def misplaced(permissions: Collection[str], group: str) -> list[str]:
    """Return the entries (`room.verb`, `room.*`, `*`) of a role that it must not carry."""
    wrong = []
    for entry in permissions:
        for code, owner in RESERVED.items():
            covers = entry in {"*", code} or (entry.endswith(".*") and code.startswith(entry[:-1]))
            if covers and owner != group:
                wrong.append(entry)
                break
    return wrong
