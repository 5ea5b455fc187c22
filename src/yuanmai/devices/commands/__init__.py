"""Commands to devices: what can be asked of which protocol, asking, cancelling, following; the gateway sends them.

`verbs` says what there is, `actions` asks and cancels, `queries` reads. Nothing here knows how a command looks on the wire.
"""
