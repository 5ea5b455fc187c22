"""The parts of `bench/ingest.py`."""
