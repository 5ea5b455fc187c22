"""The forms of special bonds as documents: debt service, coverage, yearly publication, use of funds, 表1-4.

Each is a function from a question to a `Sheet` (tables with a few sentences), which is written as Word, PDF, Excel, or shown
as a page. Figures come from the registry, amounts by year from the bond engine; nothing is computed here but sums of rows.
"""
