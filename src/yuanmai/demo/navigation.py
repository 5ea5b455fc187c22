"""What the demonstration adds to the frame of pages: its accounts on the sign-in page."""

from yuanmai.core.web.hooks import LoginHint, login_hints
from yuanmai.demo.accounts import ACCOUNTS, PASSWORD


@login_hints
def accounts() -> list[LoginHint]:
    """The demonstration accounts; asked only in demonstration mode."""
    return [LoginHint(account.username, PASSWORD, account.full_name, account.title) for account in ACCOUNTS]
