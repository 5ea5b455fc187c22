"""Pure computation of the places room."""
