"""What every room uses on top of Django: scope, actions, audit, figures, findings, temporal facts, jobs, web and API kit.

Offers the rooms above: `policy` (permissions, actors, refusals), `scope` (fail-closed data scope), `actions` (the
decorator every change of state goes through), `audit` (hash-chained log), `temporal` (bitemporal projections),
`figures` (the one registry of figures), `findings` (contradictions with an owner), `jobs` (long work), `web` and `api`.
"""
