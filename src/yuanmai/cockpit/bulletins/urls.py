"""Addresses of the bulletins, included by the cockpit."""

from django.urls import path, register_converter

from yuanmai.cockpit.bulletins import views


class FileType:
    """The ending of a document: docx or pdf."""

    regex = "docx|pdf"

    def to_python(self, value: str) -> str:
        """The ending as it stands."""
        return value

    def to_url(self, value: str) -> str:
        """The ending as it stands."""
        return value


register_converter(FileType, "filetype")

urlpatterns = [
    path("bulletins/", views.bulletins, name="bulletins"),
    path("bulletins/draft.<filetype:extension>", views.draft, name="bulletin_draft"),
    path("bulletins/issue", views.issue, name="bulletin_issue"),
    path("bulletins/<uuid:uid>/", views.bulletin, name="bulletin"),
    path("bulletins/<uuid:uid>/file.<filetype:extension>", views.download, name="bulletin_file"),
]
