"""What waits in the funds room, by subject; importing them declares them."""

from yuanmai.funds.issuing import todo as issuing
from yuanmai.funds.paying import todo as paying
from yuanmai.funds.reserve import todo as reserve

__all__ = ["issuing", "paying", "reserve"]
