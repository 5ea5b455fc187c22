"""Keeping the lake in order: the periodic work around `devices.store.upkeep`."""
