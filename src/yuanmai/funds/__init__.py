"""Money: the sources of a project, and what is missing.

Offers the rooms above: funding by source, state and year, and the funding gap.
"""
