"""The layers of the places room on the map; importing the queries declares them."""

from yuanmai.places.queries import layers as _layers

__all__ = ["_layers"]
