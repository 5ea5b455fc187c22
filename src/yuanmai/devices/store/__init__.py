"""Journal, lake and queries of readings: files and folders, but no Django and no database."""
