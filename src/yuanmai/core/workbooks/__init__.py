"""The workbook pipeline: read, find the header, map, normalise, check, compare, preview, commit, undo."""
