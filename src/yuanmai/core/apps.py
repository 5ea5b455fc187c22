"""Application entry: loads the declarations of every room once."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    """The ground floor."""

    name = "yuanmai.core"
    label = "core"
    verbose_name = _("Core")

    def ready(self) -> None:
        # A room declares its permissions, figures, search sources, navigation, import kinds in modules of these names.
        autodiscover_modules(
            "permissions",
            "figures",
            "findings",
            "search",
            "todo",
            "navigation",
            "layers",
            "workbooks",
            "workflows",
            "tasks",
        )

        from yuanmai.core.audit.guard import lock_after_migrate

        post_migrate.connect(lock_after_migrate, sender=self, dispatch_uid="core.audit.lock")
