"""Addresses of the projects room."""

from django.urls import path

from yuanmai.projects.views import blockers, bulk, edit, history, library, lights, progress, record, site_map

app_name = "projects"
urlpatterns = [
    path("", library.index, name="library"),
    path("export/", library.export, name="export"),
    path("picked/", bulk.change, name="bulk"),
    path("picked/export/", bulk.export, name="bulk_export"),
    path("new/", edit.create, name="create"),
    path("undo/<str:token>/", edit.undo, name="undo"),
    path("progress/", progress.index, name="progress"),
    path("progress/save/", progress.save, name="progress_save"),
    path("blockers/", blockers.index, name="blockers"),
    path("blockers/<int:pk>/", blockers.detail, name="blocker"),
    path("blockers/<int:pk>/<slug:code>/", blockers.move, name="move_blocker"),
    path("lights/", lights.index, name="lights"),
    path("lights/<int:pk>/retract/", lights.retract, name="retract_light_rule"),
    path("<uuid:uid>/", record.overview, name="record"),
    path("<uuid:uid>/progress/", record.progress, name="record_progress"),
    path("<uuid:uid>/subprojects/", record.subprojects, name="record_subprojects"),
    path("<uuid:uid>/blockers/", record.blockers, name="record_blockers"),
    path("<uuid:uid>/blockers/new/", blockers.create, name="raise_blocker"),
    path("<uuid:uid>/lists/", record.lists, name="record_lists"),
    path("<uuid:uid>/lists/change/", edit.change_list, name="change_list"),
    path("<uuid:uid>/history/", history.history, name="record_history"),
    path("<uuid:uid>/undo/<slug:kind>/<int:pk>/", edit.undo_fact, name="undo_fact"),
    path("<uuid:uid>/report/", progress.report, name="report"),
    path("<uuid:uid>/edit/", edit.revise, name="revise"),
    path("<uuid:uid>/plan/", edit.plan, name="plan"),
    path("<uuid:uid>/remove/", edit.remove, name="remove"),
    path("<uuid:uid>/restore/", edit.restore, name="restore"),
    path("<uuid:uid>/map.json", site_map.map_layers, name="map_layers"),
    path("<uuid:uid>/site.geojson", site_map.map_features, name="map_features"),
]
