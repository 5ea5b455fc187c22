"""The workflows of the funds room, by subject; importing them declares them."""

from yuanmai.funds.reserve import workflow as reserve

__all__ = ["reserve"]
