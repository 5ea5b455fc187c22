"""Money: the sources of a project, and what is missing; special bonds from the reserve to the last repayment.

Offers the rooms above: funding by source, state and year, the funding gap, and the figures of special bonds.

The room is divided by subject, each built like a small room: `reserve` (application, review, rules), `issuing` (quota, tranches,
allotment), `paying` (contracts, payments, change of use), `insight` (follow the yuan, calendar, optimiser), `papers` (documents,
exports, imports), `overview`. Shared by them: `files` (what is kept with rows), `coverage` (the kept results of the bond engine),
`todo` (what waits).
"""
