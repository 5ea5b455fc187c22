"""Long work in the background: with progress, cancel and retry, on SQLite and PostgreSQL."""
