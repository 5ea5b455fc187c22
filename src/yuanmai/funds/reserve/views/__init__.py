"""The pages of the reserve."""
