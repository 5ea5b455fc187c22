"""Pages of what was issued."""
