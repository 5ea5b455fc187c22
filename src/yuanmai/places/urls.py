"""Addresses of the places room."""

from django.urls import path

from yuanmai.places import undo_views, views

app_name = "places"
urlpatterns = [
    path("", views.index, name="index"),
    path("map/", views.map_page, name="map"),
    path("map/layers.json", views.map_layers, name="map_layers"),
    path("map/<slug:code>.geojson", views.map_layer, name="map_layer"),
    path("changes/", undo_views.changes, name="changes"),
    path("undo/<uuid:token>/", undo_views.undo, name="undo"),
    path("list/<slug:kind>/", views.listing, name="list"),
    path("list/<slug:kind>/export", views.export, name="export"),
    path("list/<slug:kind>/import/", views.take_over, name="import"),
    path("list/<slug:kind>/add/", views.add, name="add"),
    path("building/<int:building>/units/add/", views.unit, name="unit_add"),
    path("building/<int:building>/units/<int:pk>/", views.unit, name="unit"),
    path("<slug:kind>/<int:pk>/", views.record, name="record"),
    path("<slug:kind>/<int:pk>/edit/", views.edit, name="edit"),
    path("<slug:kind>/<int:pk>/remove/", views.remove, name="remove"),
]
