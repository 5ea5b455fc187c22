"""The whole installation in one file, and back: database and uploaded files, with checksums."""
