"""Sparkplug B over MQTT: topics, payloads and the order of births, data and deaths; the messages of its schema are read by hand."""
