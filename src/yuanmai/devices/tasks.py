"""The periodic work of the devices room; each subject declares its own."""

from importlib import import_module
from importlib.util import find_spec

SUBJECTS = ("readings", "rules", "upkeep")

for subject in SUBJECTS:
    if find_spec(f"yuanmai.devices.{subject}.tasks"):
        import_module(f"yuanmai.devices.{subject}.tasks")
