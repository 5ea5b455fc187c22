"""The project library: what is built, by whom, how far it is, and what stops it.

Offers the rooms above: projects, their state as of a day (`ProjectState`), reports, blockers and the projects' figures.
"""
