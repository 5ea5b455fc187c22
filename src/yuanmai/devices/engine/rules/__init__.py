"""Rules as data and their evaluation: no Django, no I/O, no clock.

`conditions` is what a rule can ask for; `definition` reads a rule's JSON (and says everything that is wrong with it), `windows` knows
when a rule is active, `shapes` whether a position lies in a geofence, `leaves` the single conditions, `target` one rule at one device,
`evaluator` feeds readings to all of them.
"""
