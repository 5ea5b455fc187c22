"""Paying for programs; amounts in yuan. What the rules flag is stored and told in `flags`; what they refuse is a fault."""

from yuanmai.funds.paying.api import changes, contracts, money, works
from yuanmai.funds.paying.api.base import router

__all__ = ["changes", "contracts", "money", "router", "works"]
