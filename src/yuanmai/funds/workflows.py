"""The workflows of the funds room, by subject; importing them declares them."""

from yuanmai.funds.paying import workflow as paying
from yuanmai.funds.reserve import workflow as reserve

__all__ = ["paying", "reserve"]
