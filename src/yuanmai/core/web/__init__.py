"""The web kit: pages with a declared right, the frame of every page, languages, errors that explain themselves."""

from yuanmai.core.web.pages import PAGES, page, public_page

__all__ = ["PAGES", "page", "public_page"]
