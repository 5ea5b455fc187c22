"""Addresses of rules and alarms, under devices/rules/."""

from django.urls import URLPattern, path

from yuanmai.devices.rules.views import alarms, fences, keeping, presets, rules, trying

urlpatterns: list[URLPattern] = [
    path("", rules.index, name="rules"),
    path("new/", rules.create, name="rule_new"),
    path("preview/", rules.preview, name="rule_preview"),
    path("presets/", presets.index, name="rule_presets"),
    path("tries/", trying.try_out, name="rule_try"),
    path("tries/<int:pk>/", trying.tried, name="rule_tried"),
    path("alarms/", alarms.index, name="alarms"),
    path("alarms/bulk/", alarms.bulk, name="alarms_bulk"),
    path("alarms/<uuid:uid>/", alarms.record, name="alarm"),
    path("alarms/<uuid:uid>/comment/", alarms.add_comment, name="comment_alarm"),
    path("alarms/<uuid:uid>/<slug:code>/", alarms.move, name="move_alarm"),
    path("windows/", keeping.window_list, name="windows"),
    path("windows/new/", keeping.window_new, name="window_new"),
    path("windows/<int:pk>/", keeping.window_edit, name="window"),
    path("windows/<int:pk>/end/", keeping.window_end, name="window_end"),
    path("channels/", keeping.channel_list, name="channels"),
    path("channels/new/", keeping.channel_new, name="channel_new"),
    path("channels/<int:pk>/", keeping.channel_edit, name="channel"),
    path("channels/<int:pk>/test/", keeping.channel_test, name="channel_test"),
    path("escalations/new/", keeping.escalation_new, name="escalation_new"),
    path("escalations/<int:pk>/", keeping.escalation_edit, name="escalation"),
    path("outbox/", keeping.outbox_list, name="outbox"),
    path("outbox/<int:pk>/retry/", keeping.outbox_retry, name="outbox_retry"),
    path("<uuid:uid>/", rules.record, name="rule"),
    path("<uuid:uid>/edit/", rules.revise, name="rule_edit"),
    path("<uuid:uid>/switch/", rules.switch, name="rule_switch"),
    path("<uuid:uid>/retire/", rules.retire, name="rule_retire"),
    path("<uuid:uid>/map.json", fences.layers, name="rule_layers"),
    path("<uuid:uid>/fence.geojson", fences.fence, name="rule_fence"),
]
