"""Addresses of figures: whoever shows a figure links to its definition and rows."""

from typing import Any
from urllib.parse import urlencode


def figure_url(code: str, view: Any, **filters: str) -> str:
    """Return the page of a figure for the frame of a page (`request.view`) and values of dimensions."""
    return f"/figures/{code}?{urlencode({**view.parameters, **filters})}"


def rows_url(code: str, view: Any, **filters: str) -> str:
    """Return the place on that page where the rows stand."""
    return f"{figure_url(code, view, **filters)}#rows"
