"""Quota, tranches, allotment to projects, on-lending, debt service of what was issued."""
