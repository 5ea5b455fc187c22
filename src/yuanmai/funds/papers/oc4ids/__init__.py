"""Bond projects as open infrastructure data: OC4IDS 0.9.5 project packages.

``build`` is pure: plain facts of one project in, its document out. ``gather`` asks the database, some hundred projects at a
time, ``stream`` writes a package piece by piece.
"""
