"""Pure computations of the cockpit."""
