"""The REST interface: one API object, to which each room's router is mounted."""

from yuanmai.core.api import make_api

api = make_api()
