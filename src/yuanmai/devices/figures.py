"""The figures of the devices room; each subject registers its own."""

from importlib import import_module
from importlib.util import find_spec

SUBJECTS = ("registry", "rules")

for subject in SUBJECTS:
    if find_spec(f"yuanmai.devices.{subject}.figures"):
        import_module(f"yuanmai.devices.{subject}.figures")
