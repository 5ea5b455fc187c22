"""Application entry of the projects room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProjectsConfig(AppConfig):
    """What is built."""

    name = "yuanmai.projects"
    label = "projects"
    verbose_name = _("Projects")
