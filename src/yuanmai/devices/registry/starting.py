"""What a new installation starts with: the library of product templates, in the register of its root organisation."""

from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.devices.models import ProductTemplate
from yuanmai.devices.registry.actions.templates import load_templates
from yuanmai.people.actions.installation import NEW_INSTALLATION
from yuanmai.people.models import Organisation


def begin(root: Organisation) -> int:
    """Load the library for a new root organisation; returns the number of templates."""
    with everywhere():
        return load_templates(SYSTEM, root.pk)


def ensure_templates() -> int:
    """Load the library where no root organisation has a template yet; returns the number of templates.

    An installation that has templates keeps them as they are: what was thrown out does not come back, and new ones of a newer
    version are offered on the page of templates.
    """
    with everywhere():
        if ProductTemplate.objects.exists():
            return 0
        return sum(begin(root) for root in Organisation.get_root_nodes())


if begin not in NEW_INSTALLATION:
    NEW_INSTALLATION.append(begin)
