"""Rules and alarms: from a rule in the browser to somebody who deals with it.

`runtime` is what the ingest process calls; `recording` writes alarms; `telling` and `delivery` are the outbox; `actions/` what people do.
"""
