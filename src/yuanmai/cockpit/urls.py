"""Addresses of the cockpit."""

from django.urls import include, path

from yuanmai.cockpit import figure_views, findings_views, views, wall

app_name = "cockpit"
urlpatterns = [
    path("", include("yuanmai.cockpit.bulletins.urls")),
    path("", views.home, name="home"),
    path("todo/", views.todo, name="todo"),
    path("search", views.find, name="search"),
    path("wall/", wall.wall, name="wall"),
    path("wall/layers.json", wall.layers, name="wall_layers"),
    path("wall/sites.geojson", wall.sites, name="wall_sites"),
    path("figures/", figure_views.catalogue, name="figures"),
    path("figures/<str:code>", figure_views.figure, name="figure"),
    path("figures/<str:code>/export", figure_views.export, name="figure_export"),
    path("findings/", findings_views.findings, name="findings"),
    path("findings/<int:pk>/", findings_views.finding, name="finding"),
]
