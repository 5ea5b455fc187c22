"""Devices and what they say: the register, readings, rules, alarms, commands.

`models/` the nouns · `engine/` pure computation · `store/` journal, lake and queries of readings, without Django ·
`registry/` pages and actions of the register · `commands/` commands downwards · `rules/` rules and alarms · `live/` what moves
on pages by itself · `readings/` readings over HTTP, in and out · `upkeep/` what is done every minute and every night ·
`telemetry` what is written of the moment, in bulk. The process that speaks the protocols is the room `gateway`.
"""
