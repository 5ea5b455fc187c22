"""The tables of the devices room."""

from yuanmai.devices.models.command import Command
from yuanmai.devices.models.registry import Device, Point, ProductTemplate, Protocol, TemplatePoint
from yuanmai.devices.models.state import DeviceState, Latest, Oddity, UnknownDevice

__all__ = [
    "Command",
    "Device",
    "DeviceState",
    "Latest",
    "Oddity",
    "Point",
    "ProductTemplate",
    "Protocol",
    "TemplatePoint",
    "UnknownDevice",
]
