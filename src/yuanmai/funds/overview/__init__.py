"""Special bonds of a place at a glance: figures, the way of the money, what needs a decision."""
