"""The processes that speak the protocols of devices and write the lake.

`gateway` (asyncio) takes frames, writes them to the journal, and only then acknowledges; `ingest` follows the journals and makes
readings of them: lake, latest values, alarms. Everything behind the acknowledgement is a replay of the journal.
"""
