"""MQTT: the embedded broker, a client of a broker beside us, JSON and Sparkplug B."""
