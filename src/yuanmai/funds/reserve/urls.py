"""Addresses of the reserve."""

from django.urls import URLPattern, path

from yuanmai.funds.reserve.views import analysis, enter, lists, planning, record, reviewing, ruling

urlpatterns: list[URLPattern] = [
    path("", lists.index, name="reserve"),
    path("export/", lists.export, name="export_reserve"),
    path("demand/", lists.demand, name="reserve_demand"),
    path("new/", enter.pick, name="pick_reserve"),
    path("projects/<uuid:uid>/", enter.project, name="project_reserve"),
    path("projects/<uuid:uid>/new/", enter.enter, name="enter_reserve"),
    path("rules/", ruling.index, name="rules"),
    path("rules/<slug:code>/", ruling.rule, name="rule"),
    path("rules/<int:pk>/retract/", ruling.retract, name="retract_rule"),
    path("<uuid:uid>/", record.overview, name="reserve_record"),
    path("<uuid:uid>/edit/", enter.edit, name="edit_reserve"),
    path("<uuid:uid>/plan/", planning.plan, name="reserve_plan"),
    path("<uuid:uid>/plan/save/", planning.save_plan, name="save_reserve_plan"),
    path("<uuid:uid>/coverage/", analysis.coverage, name="reserve_coverage"),
    path("<uuid:uid>/stress/", analysis.stress, name="reserve_stress"),
    path("<uuid:uid>/checklist/", planning.checklist, name="reserve_checklist"),
    path("<uuid:uid>/checklist/file/", planning.add_file, name="add_reserve_file"),
    path("<uuid:uid>/uses/", planning.uses, name="reserve_uses"),
    path("<uuid:uid>/reviews/", record.reviews, name="reserve_reviews"),
    path("<uuid:uid>/reviews/<int:pk>/take-back/", reviewing.take_back, name="take_back_review"),
    path("<uuid:uid>/review/<slug:body>/", reviewing.review, name="review_reserve"),
    path("<uuid:uid>/history/", record.history, name="reserve_history"),
    path("<uuid:uid>/move/<slug:code>/", record.move, name="move_reserve"),
    path("<uuid:uid>/withdraw/", record.withdraw, name="withdraw_reserve"),
    path("<uuid:uid>/restore/", record.restore, name="restore_reserve"),
]
