"""Pollers: devices that speak only when asked. Modbus over TCP, electricity and water meters behind serial servers."""

from yuanmai.gateway.pollers.listeners import listeners

__all__ = ["listeners"]
