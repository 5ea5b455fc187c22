"""The figures of the funds room, by subject; importing them declares them."""

from yuanmai.funds.figures import bonds, funding

__all__ = ["bonds", "funding"]
