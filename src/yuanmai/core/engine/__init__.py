"""Pure computation of the ground floor: chains of hashes, bitemporal timelines, periods."""
