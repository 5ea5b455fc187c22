"""The devices of the gateway's tests."""

from tests.gateway.conftest import make_device

__all__ = ["make_device"]
