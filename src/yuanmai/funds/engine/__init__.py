"""Pure computation of the funds room: the fold of funding facts, the gap."""
