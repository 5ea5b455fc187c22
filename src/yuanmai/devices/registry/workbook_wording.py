"""What can be wrong with workbooks of devices and points, in words; texts with a form of their own."""

import unicodedata

from django.utils.translation import gettext_lazy

from yuanmai.core.workbooks.engine.formats import text_format
from yuanmai.core.workbooks.engine.values import ValueFault
from yuanmai.core.workbooks.wording import add_rules
from yuanmai.devices.engine.addresses import CODE
from yuanmai.devices.engine.states import states_of, states_text

NEAREST = gettext_lazy("Write it as in the list (“{nearest}” comes nearest), or enter it there first.")
add_rules(
    {
        "device_code.form": (
            gettext_lazy("A code has letters, digits, dots, hyphens and underscores, at most 60."),
            gettext_lazy("Leave out blanks and Chinese characters; the name is the place for words."),
        ),
        "state_names.form": (
            gettext_lazy("Names of states are written like 0=Off; 1=On; “{part}” is not."),
            gettext_lazy("Write the number, an equals sign and the name; part them by semicolons."),
        ),
        "code.missing": (
            gettext_lazy("The code is missing."),
            gettext_lazy("Every row needs one: by it the row is found again at the next import."),
        ),
        "template.missing": (
            gettext_lazy("A new device needs a product template."),
            gettext_lazy("Write its name or code as in the list of templates."),
        ),
        "template.unknown": (
            gettext_lazy("No product template of this name or code serves this organisation."),
            gettext_lazy(
                "Write it as in the list of templates (“{nearest}” comes nearest), or load the library."
            ),
        ),
        "template.protocol": (
            gettext_lazy("The device in the register speaks {protocol}, this template does not."),
            gettext_lazy("Choose a template of the same protocol, or enter the device under another code."),
        ),
        "key.missing": (
            gettext_lazy("A new device of {protocol} needs its identity in the protocol."),
            gettext_lazy("Enter what the device calls itself, such as {example}."),
        ),
        "key.form": (
            gettext_lazy("This is no identity in {protocol}."),
            gettext_lazy(
                "One looks like this: {example}. Format the cell as text, so that Excel keeps every digit."
            ),
        ),
        "key.taken": (
            gettext_lazy("Another device already speaks under this identity."),
            gettext_lazy(
                "An identity belongs to one device in the whole installation; correct it, or retire the other device."
            ),
        ),
        "key.twice": (
            gettext_lazy("This identity already stands at the device {code} in this file."),
            gettext_lazy("Two devices cannot share an identity; correct one of them."),
        ),
        "park.not_here": (gettext_lazy("There is no park of this name."), NEAREST),
        "building.not_here": (gettext_lazy("There is no building of this name."), NEAREST),
        "enterprise.not_here": (
            gettext_lazy("There is no enterprise of this name in the register."),
            NEAREST,
        ),
        "device.unknown": (gettext_lazy("There is no device of this code."), NEAREST),
        "place.range": (
            gettext_lazy("Coordinates are decimal degrees between −{limit} and {limit}."),
            gettext_lazy(
                "Check whether longitude and latitude changed places, or degrees and minutes were run together."
            ),
        ),
        "place.half": (
            gettext_lazy("A place needs longitude and latitude."),
            gettext_lazy("Fill in both, or neither."),
        ),
        "silence.range": (
            gettext_lazy("A device counts as offline after {least} to {most} seconds of silence."),
            gettext_lazy("Enter seconds."),
        ),
        "address.missing": (
            gettext_lazy("A new point needs its address in {protocol}."),
            gettext_lazy("One looks like this: {example}."),
        ),
        "address.form": (
            gettext_lazy("This is no address in {protocol}."),
            gettext_lazy("One looks like this: {example}."),
        ),
        "point.range": (
            gettext_lazy("The lowest plausible value is not below the highest."),
            gettext_lazy("Check both limits."),
        ),
        "point.scale": (
            gettext_lazy("A scale of 0 would make every value 0."),
            gettext_lazy("Enter 1 where the device already says the value in its unit."),
        ),
        "point.decimals": (gettext_lazy("Decimals are 0 to 9."), gettext_lazy("Enter a whole number.")),
        "point.deadband": (gettext_lazy("A deadband is not negative."), gettext_lazy("Enter 0 for none.")),
    }
)


def _code(text: str) -> str:
    code = "".join(unicodedata.normalize("NFKC", text).split())
    if not CODE.fullmatch(code):
        raise ValueFault("device_code.form")
    return code


def _states(text: str) -> str:
    try:
        return states_text(states_of(text))
    except ValueError as error:
        raise ValueFault("state_names.form", part=str(error)) from None


text_format("device_code", _code)
text_format("state_names", _states)
