"""Addresses of this part of the funds room."""

from django.urls import URLPattern, path

from yuanmai.funds.paying.views import changes, contracts, files, money, papers, project, works

urlpatterns: list[URLPattern] = [
    path("", money.index, name="payments"),
    path("payments/<uuid:uid>/", money.payment, name="payment"),
    path("projects/<uuid:uid>/", project.paying, name="paying"),
    path("projects/<uuid:uid>/contracts/new/", contracts.create, name="contract_new"),
    path("projects/<uuid:uid>/use-plans/new/", papers.plan, name="use_plan_new"),
    path("projects/<uuid:uid>/disburse/", money.disburse_form, name="disburse"),
    path("projects/<uuid:uid>/works/new/", works.create, name="work_new"),
    path("projects/<uuid:uid>/change-of-use/", changes.create, name="change_new"),
    path("contracts/", contracts.index, name="contracts"),
    path("contracts/<uuid:uid>/", contracts.record, name="contract"),
    path("contracts/<uuid:uid>/pay/", money.pay_form, name="pay"),
    path("contracts/<uuid:uid>/certificates/new/", papers.certificate, name="certificate_new"),
    path("contracts/<uuid:uid>/invoices/new/", papers.invoice, name="invoice_new"),
    path("certificates/", papers.index, name="certificates"),
    path("certificates/<int:pk>/confirm/", papers.confirm, name="certificate_confirm"),
    path("works/<int:pk>/measure/", works.measure_form, name="measure"),
    path("changes/", changes.index, name="changes"),
    path("changes/statement/", changes.statement, name="changes_statement"),
    path("changes/<uuid:uid>/", changes.record, name="change"),
    path("changes/<uuid:uid>/<slug:code>/", changes.step, name="change_step"),
    path("attach/<slug:kind>/<int:pk>/", files.attach, name="attach_paper"),
    path("take-back/<slug:kind>/<int:pk>/", files.take_back_form, name="take_back_paying"),
]
