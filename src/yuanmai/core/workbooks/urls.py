"""Addresses of the import wizard."""

from django.urls import path

from yuanmai.core.workbooks import views

app_name = "imports"
urlpatterns = [
    path("", views.batches, name="list"),
    path("new/", views.upload, name="new"),
    path("template/<slug:code>.xlsx", views.template, name="template"),
    path("<int:pk>/", views.record, name="record"),
    path("<int:pk>/columns/", views.columns, name="columns"),
    path("<int:pk>/preview/", views.preview, name="preview"),
    path("<int:pk>/commit/", views.commit, name="commit"),
    path("<int:pk>/undo/", views.undo, name="undo"),
    path("<int:pk>/marked.xlsx", views.marked, name="marked"),
]
