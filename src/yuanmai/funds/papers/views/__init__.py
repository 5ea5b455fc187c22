"""Pages of the papers of special bonds."""
