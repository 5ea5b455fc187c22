"""Addresses of the bulletins, included by the cockpit."""

from django.urls import path, re_path

from yuanmai.cockpit.bulletins import views

urlpatterns = [
    path("bulletins/", views.bulletins, name="bulletins"),
    re_path(r"^bulletins/draft\.(?P<extension>docx|pdf)$", views.draft, name="bulletin_draft"),
    path("bulletins/issue", views.issue, name="bulletin_issue"),
    path("bulletins/<uuid:uid>/", views.bulletin, name="bulletin"),
    re_path(
        r"^bulletins/(?P<uid>[0-9a-f-]{36})/file\.(?P<extension>docx|pdf)$",
        views.download,
        name="bulletin_file",
    ),
]
