"""The layers of the devices room on the map; importing them declares them."""

from yuanmai.devices.live import layers as _layers

__all__ = ["_layers"]
