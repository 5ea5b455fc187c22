"""The pure half of the import: bytes in, typed rows, checks and faults out. No Django, no clock, no files."""
