"""Readings over HTTP: sent in bulk as JSON, CSV, line protocol or Arrow, and read back.

A batch is taken whole or not at all; when the answer says so, its readings are durable in this process's journal. The ingest
process takes them from there, as it takes what gateways have written.
"""
