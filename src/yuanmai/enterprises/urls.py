"""Addresses of the enterprises room."""

from django.urls import path

from yuanmai.enterprises import views

app_name = "enterprises"
urlpatterns = [
    path("", views.index, name="index"),
    path("export/", views.export, name="export"),
    path("new/", views.create, name="create"),
    path("<int:pk>/", views.record, name="record"),
    path("<int:pk>/edit/", views.revise, name="revise"),
    path("<int:pk>/retire/", views.retire, name="retire"),
    path("<int:pk>/restore/", views.restore, name="restore"),
]
