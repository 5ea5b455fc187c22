"""The verbs of the people room."""

from yuanmai.people.actions.installation import Administrator, set_up_installation
from yuanmai.people.actions.organisations import (
    add_organisation,
    deactivate_organisation,
    edit_organisation,
    move_organisation,
    reactivate_organisation,
)
from yuanmai.people.actions.posts import give_post, take_post
from yuanmai.people.actions.roles import require_second_factor, set_role_permissions
from yuanmai.people.actions.subscriptions import end_subscription, subscribe_by_mail, subscribe_calendar
from yuanmai.people.actions.tokens import create_token, revoke_token
from yuanmai.people.actions.users import (
    add_user,
    edit_user,
    lock_user,
    remove_second_factor,
    reset_password,
    unlock_user,
)

__all__ = [
    "Administrator",
    "add_organisation",
    "add_user",
    "create_token",
    "deactivate_organisation",
    "edit_organisation",
    "edit_user",
    "end_subscription",
    "give_post",
    "lock_user",
    "move_organisation",
    "reactivate_organisation",
    "remove_second_factor",
    "require_second_factor",
    "reset_password",
    "revoke_token",
    "set_role_permissions",
    "set_up_installation",
    "subscribe_by_mail",
    "subscribe_calendar",
    "take_post",
    "unlock_user",
]
