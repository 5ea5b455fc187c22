"""What Ctrl+K finds of the funds room, by subject; importing them declares them."""

from yuanmai.funds.issuing import search as issuing
from yuanmai.funds.reserve import search as reserve

__all__ = ["issuing", "reserve"]
