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
