"""What the oddities that gateways and ingest count are called."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WORDS: dict[str, str | Promise] = {
    "bad_crc": _("Wrong check sum"),
    "bad_checksum": _("Wrong check sum"),
    "bad_length": _("Wrong length"),
    "bad_frame": _("Not a frame of the protocol"),
    "clock": _("Impossible time"),
    "out_of_range": _("Outside the plausible range"),
    "unmapped": _("Address without a point"),
    "not_a_number": _("Not a number"),
    "doubled": _("Said twice"),
    "late": _("Came late"),
    "flood": _("Too many frames"),
    "slow": _("Too slow in reading"),
    "auth": _("Wrong secret"),
    "idle": _("Silent connection cut"),
    "unreachable": _("Cannot be reached"),
    "refused": _("Connection refused"),
    "no_answer": _("No answer"),
    "bad_password": _("Wrong password (PW)"),
    "foreign_auth_code": _("Authentication code of another platform"),
    "foreign_phone": _("Speaks under another phone number"),
    "resent": _("Sent again"),
    "packages_missing": _("Packages of a message missing"),
    "package_missing": _("Package of a message missing"),
    "batch_incomplete": _("Batch of positions cut off"),
    "answer_to_nothing": _("Answer nobody asked for"),
    "unanswerable": _("Cannot be answered"),
    "greeting_refused": _("Refuses the settings at connection"),
    "unmapped_item": _("Item nobody knows"),
    "clock_unreadable": _("Time cannot be read"),
    "no_time": _("Message without a time"),
    "unknown_alias": _("Metric without a birth"),
    "rebirth": _("Asked for a new birth"),
    "position_implausible": _("Implausible position"),
    "bad_payload": _("Content cannot be read"),
    "json": _("Content is not JSON"),
    "protobuf": _("Content is not Sparkplug"),
    "out_of_order": _("Messages out of order"),
    "bad_address": _("Address of a point cannot be asked"),
    "bad_profile": _("Communication profile cannot be used"),
    "bad_key": _("Identity cannot be used"),
    "late_answer": _("Answer came too late"),
    "duplicate_factor": _("Factor said twice in a message"),
    "item_length": _("Item of a wrong length"),
    "encrypted": _("Encrypted message"),
    "refused_full": _("Too many connections"),
    "refused_address": _("Too many connections from one address"),
}


def oddity_word(kind: str) -> str:
    """Return what an oddity is called; its code where it has no words."""
    return str(WORDS.get(kind, kind))
