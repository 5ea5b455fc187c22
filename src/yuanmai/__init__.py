"""Yuanmai (园脉): one ledger for the life of an industrial park: fund, build, run, serve, judge."""

__version__ = "0.1.0"
