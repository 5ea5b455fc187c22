"""HJ 212: stations of pollution monitoring connect by TCP."""

from yuanmai.gateway.hj212.listener import listeners

__all__ = ["listeners"]
