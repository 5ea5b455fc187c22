"""Quota, tranches, allotments and debt service for programs; amounts in yuan, rates as fractions."""

from yuanmai.funds.issuing.api import service, tranches
from yuanmai.funds.issuing.api.base import router

__all__ = ["router", "service", "tranches"]
