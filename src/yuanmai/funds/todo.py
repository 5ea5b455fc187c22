"""What waits in the funds room, by subject; importing them declares them."""

from yuanmai.funds.paying import todo as paying

__all__ = ["paying"]
