"""Rights of the funds room."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.policy import permission

SEE_FUNDS = permission("funds.view", _("See funds"))
EDIT_FUNDS = permission("funds.edit", _("Record funding"), writes=True)
KEEP_RESERVE = permission("funds.reserve", _("Keep reserve projects and apply for bonds"), writes=True)
REVIEW_FINANCE = permission("funds.review_finance", _("Review reserve projects for finance"), writes=True)
REVIEW_REFORM = permission(
    "funds.review_reform", _("Review reserve projects for development and reform"), writes=True
)
APPROVE_BONDS = permission("funds.approve", _("Report and approve reserve projects"), writes=True)
ISSUE_BONDS = permission("funds.issue", _("Keep quota and tranches, allot and on-lend"), writes=True)
KEEP_CONTRACTS = permission(
    "funds.contract", _("Record contracts, certificates, invoices, physical work"), writes=True
)
PAY_BONDS = permission("funds.pay", _("Record disbursements and payments"), writes=True)
CHANGE_USE = permission("funds.change_use", _("Decide changes of use"), writes=True)
SET_RULES = permission("funds.rules", _("Decide the rules of special bonds"), writes=True)
