"""What is said where an address, an identity or a unit is not as its protocol wants it."""

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from yuanmai.devices.engine.addresses import (
    CODE,
    address_example,
    address_fits,
    key_example,
    key_fits,
)
from yuanmai.devices.models import Protocol


def english() -> bool:
    """Whether the active language is English."""
    return (get_language() or "").startswith("en")


def code_fault(code: str) -> str:
    """Return what is wrong with a code, "" where nothing is."""
    if CODE.fullmatch(code):
        return ""
    return _("A code has letters, digits, dots, hyphens and underscores, at most 60; “%(code)s” has not.") % {
        "code": code
    }


def address_fault(protocol: str, address: str) -> str:
    """Return what is wrong with the address of a point, "" where nothing is."""
    if address_fits(protocol, address):
        return ""
    if not address:
        return _("Where the point stands in the protocol is wanted, like %(example)s.") % {
            "example": address_example(protocol)
        }
    return _("“%(address)s” is no address in %(protocol)s; one looks like this: %(example)s") % {
        "address": address,
        "protocol": Protocol(protocol).label,
        "example": address_example(protocol),
    }


def key_fault(protocol: str, key: str) -> str:
    """Return what is wrong with the identity of a device, "" where nothing is."""
    if key_fits(protocol, key):
        return ""
    return _("“%(key)s” is no identity in %(protocol)s; one looks like this: %(example)s") % {
        "key": key,
        "protocol": Protocol(protocol).label,
        "example": key_example(protocol),
    }
