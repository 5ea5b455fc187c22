"""MQTT: the embedded broker, a client of a broker beside us, JSON and Sparkplug B."""

from yuanmai.gateway.mqtt.listeners import listeners

__all__ = ["listeners"]
