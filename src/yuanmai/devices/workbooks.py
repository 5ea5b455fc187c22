"""What the workbooks of the devices room look like: declared by the register."""

from yuanmai.devices.registry.workbooks import DEVICES, POINTS

__all__ = ["DEVICES", "POINTS"]
