"""The bulletin of key projects: what the ledger says of a month, quarter or year, as an official document.

Everything in it comes from the registry of figures and the rooms' queries at one `as_of` and one `known_at`; issuing freezes
both, and the same question gives the same text letter by letter.
"""
