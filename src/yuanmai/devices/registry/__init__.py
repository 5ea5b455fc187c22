"""The register of devices for people and programs: lists, records, unknown devices, templates, import, labels, history."""
