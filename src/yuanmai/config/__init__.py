"""Settings, URLs and the entry points of the processes."""
