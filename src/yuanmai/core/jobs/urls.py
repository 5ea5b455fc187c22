"""Addresses of background work."""

from django.urls import path

from yuanmai.core.jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.job_list, name="list"),
    path("schedule/", views.schedule, name="schedule"),
    path("<int:pk>/", views.record, name="record"),
    path("<int:pk>/state", views.state, name="state"),
    path("<int:pk>/cancel", views.cancel, name="cancel"),
    path("<int:pk>/retry", views.retry, name="retry"),
]
