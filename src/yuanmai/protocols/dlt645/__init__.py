"""DL/T 645-2007: electricity meters on RS-485 or behind a serial server."""
