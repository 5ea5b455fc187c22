"""The ASGI entry of `yuanmai live`."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yuanmai.config.settings")
django.setup()

from yuanmai.devices.live.app import application  # noqa: E402 - needs the rooms

__all__ = ["application"]
