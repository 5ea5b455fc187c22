"""The tests, one folder for each room; a package, so that none of the same name elsewhere hides it."""
