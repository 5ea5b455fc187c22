"""Tests about the house itself: its files, its rooms, its translations, its build."""
