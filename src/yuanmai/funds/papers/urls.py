"""Addresses of this part of the funds room."""

from django.urls import URLPattern, path

from yuanmai.funds.papers.views import forms, offering

urlpatterns: list[URLPattern] = [
    path("", forms.index, name="papers"),
    path("oc4ids.json", forms.oc4ids, name="oc4ids"),
    path("finished/<int:pk>/", forms.finished, name="paper_finished"),
    path("offering/<uuid:uid>/", offering.offering, name="offering"),
    path("projects/<uuid:uid>/", forms.of_project, name="papers_project"),
    path("projects/<uuid:uid>/<slug:code>.<slug:ending>", forms.download_project, name="paper_project_file"),
    path("<slug:code>/", forms.show, name="paper"),
    path("<slug:code>.<slug:ending>", forms.download, name="paper_file"),
]
