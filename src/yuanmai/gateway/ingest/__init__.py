"""From the journals to the lake, the latest values and the rules: a pure replay of what was heard.

`decode` makes readings of records, `refine` says what is wrong with them, `follow` does it for all journals, round by round.
"""
