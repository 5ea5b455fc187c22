"""Addresses of the funds room."""

from django.urls import include, path

from yuanmai.funds import file_views, views

app_name = "funds"
urlpatterns = [
    path("", views.index, name="index"),
    path("projects/<uuid:uid>/", views.project, name="project"),
    path("projects/<uuid:uid>/edit/", views.edit, name="edit"),
    path("projects/<uuid:uid>/undo/<int:pk>/", views.undo_fact, name="undo_fact"),
    path("undo/<str:token>/", views.undo, name="undo"),
    path("files/<int:pk>/", file_views.download, name="file"),
    path("files/<int:pk>/take-back/", file_views.take_back, name="take_back_file"),
    path("overview/", include("yuanmai.funds.overview.urls")),
    path("reserve/", include("yuanmai.funds.reserve.urls")),
    path("bonds/", include("yuanmai.funds.issuing.urls")),
    path("paying/", include("yuanmai.funds.paying.urls")),
    path("insight/", include("yuanmai.funds.insight.urls")),
    path("papers/", include("yuanmai.funds.papers.urls")),
]
