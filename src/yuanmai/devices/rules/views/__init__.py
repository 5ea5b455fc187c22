"""Pages of rules and alarms."""
