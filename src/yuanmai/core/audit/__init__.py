"""The audit log: append-only, chained by hash, sealed with a key that is not in the database."""
