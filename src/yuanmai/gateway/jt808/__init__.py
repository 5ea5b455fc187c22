"""JT/T 808: vehicle terminals connect by TCP or send by UDP."""

from yuanmai.gateway.jt808.listener import listeners

__all__ = ["listeners"]
