"""What can be wrong with bond and payment ledgers, in words: what it is, and what to do about it."""

from django.utils.translation import gettext_lazy

from yuanmai.core.workbooks.engine.formats import text_format
from yuanmai.core.workbooks.wording import add_rules
from yuanmai.funds.papers.reading import bond_schedule, bond_term

text_format("bond_term", bond_term)
text_format("bond_schedule", bond_schedule)

add_rules(
    {
        "bond.project_unknown": (
            gettext_lazy("There is no project of this name or code."),
            gettext_lazy(
                "Write it as in the project library (nearest: {nearest}), or enter the project first."
            ),
        ),
        "bond.no_code": (
            gettext_lazy("The row names no bond that can be told apart."),
            gettext_lazy("Write the bond code, or the full name of a bond that is entered already."),
        ),
        "bond.no_amount": (
            gettext_lazy("No amount is stated for the project."),
            gettext_lazy(
                "Write what the project was allotted from this bond; delete the row if it was nothing."
            ),
        ),
        "bond.needed": (
            gettext_lazy("The bond {code} is new, and its {what} is not stated."),
            gettext_lazy("Add it to this row; a bond is computed from rate, term and value date."),
        ),
        "bond.rate_too_high": (
            gettext_lazy("A rate above {limit} is taken for a slip."),
            gettext_lazy("Write percent points or a percentage: 3.28 or 3.28%."),
        ),
        "bond.rate_negative": (
            gettext_lazy("A rate below zero is no rate of a bond."),
            gettext_lazy("Write the rate of the tender: 3.28 or 3.28%."),
        ),
        "bond.term_unreadable": (
            gettext_lazy("This is no term of a bond."),
            gettext_lazy("Write whole years: 10 or 10年."),
        ),
        "bond.term_unusual": (
            gettext_lazy("Bonds are issued for {allowed} years, not {value}."),
            gettext_lazy("Check the term."),
        ),
        "bond.schedule_unreadable": (
            gettext_lazy("This schedule of instalments cannot be read."),
            gettext_lazy("Write it as 第6至10年每年偿还5%,第11至15年每年偿还15%."),
        ),
        "bond.schedule_sum": (
            gettext_lazy("The instalments add up to {share} % of the principal."),
            gettext_lazy("They must add up to 100 %."),
        ),
        "bond.schedule_beyond": (
            gettext_lazy("An instalment falls in year {year}, the bond runs {term} years."),
            gettext_lazy("Correct the schedule or the term."),
        ),
        "bond.schedule_needed": (
            gettext_lazy("The bond is repaid in instalments, and nothing says when."),
            gettext_lazy("Add a column 分期还本计划: 第6至10年每年偿还5%,第11至15年每年偿还15%."),
        ),
        "bond.contradicts": (
            gettext_lazy("Another row ({first}) says {other} for the same bond."),
            gettext_lazy("A bond has one value; correct one of the two rows."),
        ),
        "bond.differs": (
            gettext_lazy("{keeper} keeps this bond with {stored}."),
            gettext_lazy("Correct the row, or ask the keeper to correct the bond."),
        ),
        "bond.maturity_differs": (
            gettext_lazy("{computed} follows from value date and term."),
            gettext_lazy("Check value date, term and maturity."),
        ),
        "bond.value_after_maturity": (
            gettext_lazy("The value date ({left}) lies after the maturity ({right})."),
            gettext_lazy("Correct one of the two dates."),
        ),
        "bond.value_before_tender": (
            gettext_lazy("The value date ({right}) lies before the tender ({left})."),
            gettext_lazy("Check both dates: interest runs from the working day after the tender."),
        ),
        "bond.over_tranche": (
            gettext_lazy("The projects get {allotted} of the bond {code}, which amounts to {amount}."),
            gettext_lazy("Correct the amounts; nobody can be allotted more than was issued."),
        ),
        "pay.no_day": (
            gettext_lazy("The day of the payment is not stated."),
            gettext_lazy("Write the day on which the money left the account: 2022-07-10."),
        ),
        "pay.no_amount": (
            gettext_lazy("No amount was paid."),
            gettext_lazy("Write the amount; delete the row if nothing was paid."),
        ),
        "pay.no_bond": (
            gettext_lazy("The project draws on {n} bonds, and the row does not say which one paid."),
            gettext_lazy("Write the bond code."),
        ),
        "pay.not_allotted": (
            gettext_lazy("This bond was not allotted to the project."),
            gettext_lazy("Write one of its bonds ({known}), or allot the bond to the project first."),
        ),
        "pay.no_contract": (
            gettext_lazy("The row names no contract."),
            gettext_lazy("Write number or name of the contract: bond money is paid under contracts only."),
        ),
        "pay.no_payee": (
            gettext_lazy("The contract is new, and its payee is not stated."),
            gettext_lazy("Write who was paid."),
        ),
        "pay.other_payee": (
            gettext_lazy("The contract {contract} is with {known}."),
            gettext_lazy("Correct the payee or the number of the contract."),
        ),
        "pay.double_invoice": (
            gettext_lazy("The same invoice was paid in {first} already."),
            gettext_lazy("Delete one of the two, or state the invoice amount if it was paid in parts."),
        ),
        "pay.invoice_elsewhere": (
            gettext_lazy("This invoice of the same seller is entered under the contract {contract}."),
            gettext_lazy("Check the number of the invoice and of the contract."),
        ),
        "pay.over_invoice": (
            gettext_lazy("{paid} are paid on the invoice, which amounts to {limit}."),
            gettext_lazy("Check the invoice and the amounts: is a row entered twice?"),
        ),
        "pay.over_contract": (
            gettext_lazy("{paid} are paid under the contract {contract}, which amounts to {limit}."),
            gettext_lazy("Check the unit of the amounts; a larger contract is entered as such first."),
        ),
        "pay.over_disbursed": (
            gettext_lazy("{paid} are paid out of the bond {code}, {limit} were disbursed."),
            gettext_lazy("Enter the disbursement of the treasury first, or correct the amount."),
        ),
        "pay.use_unknown": (
            gettext_lazy("The offering file does not name this use."),
            gettext_lazy("Bond money pays for named uses only: {known}."),
        ),
        "pay.certificate_unknown": (
            gettext_lazy("The contract has no progress certificate of this number."),
            gettext_lazy(
                "Enter the certificate with the supervisor's confirmation; the payment counts as ahead of work until then."
            ),
        ),
        "funds.contract_over": (
            gettext_lazy("More is paid ({left}) than the contract amounts to ({right})."),
            gettext_lazy("Check the unit of both cells."),
        ),
        "funds.invoice_over": (
            gettext_lazy("More is paid ({left}) than the invoice amounts to ({right})."),
            gettext_lazy("Check both amounts."),
        ),
        "funds.allotted_over_tranche": (
            gettext_lazy("The project gets more ({left}) than the bond amounts to ({right})."),
            gettext_lazy("Check the unit of both cells."),
        ),
        "funds.disbursed_over_allotted": (
            gettext_lazy("More is disbursed ({left}) than was allotted ({right})."),
            gettext_lazy("Check both amounts; a change of use is entered as one, not here."),
        ),
        "funds.paid_over_disbursed": (
            gettext_lazy("More is paid ({left}) than was disbursed ({right})."),
            gettext_lazy("Check both amounts; money that was not bond money does not belong here."),
        ),
    }
)
