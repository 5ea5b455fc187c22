"""What moves on pages by itself: server-sent events of values, states, commands and alarms.

`feed` asks the database once for all listeners together, `listeners` says who they are and what they may hear, `app` is the small
ASGI program that `yuanmai live` serves. Pages that cannot reach it ask `devices:live_poll` instead and get the same events.
"""
