"""Parks, zones, grid cells, parcels, buildings and space units, with their geometry.

Offers the rooms above: the places themselves and areas stated by kind.
"""
