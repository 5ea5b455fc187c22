"""The to-dos of the devices room; each subject declares its own."""

from importlib import import_module
from importlib.util import find_spec

SUBJECTS = ("rules",)

for subject in SUBJECTS:
    if find_spec(f"yuanmai.devices.{subject}.todo"):
        import_module(f"yuanmai.devices.{subject}.todo")
