"""Addresses of the funds room."""

from django.urls import path

from yuanmai.funds import views

app_name = "funds"
urlpatterns = [
    path("", views.index, name="index"),
    path("projects/<uuid:uid>/", views.project, name="project"),
    path("projects/<uuid:uid>/edit/", views.edit, name="edit"),
    path("projects/<uuid:uid>/undo/<int:pk>/", views.undo_fact, name="undo_fact"),
    path("undo/<str:token>/", views.undo, name="undo"),
]
