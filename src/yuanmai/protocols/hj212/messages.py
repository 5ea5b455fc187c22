"""Who says what in HJ 212: command numbers, requests of the platform, acknowledgements, states of equipment and data."""

import re
from collections.abc import Mapping
from enum import StrEnum

from yuanmai.protocols.hj212.frame import STANDARD, Frame, Profile, encode

# The password of a station, and the new one that a command gives it.
PASSWORD = re.compile(r"(?<![A-Za-z0-9])((?:New)?PW=)[^;,&]+", re.IGNORECASE)
# CN → what it is about; u: the station uploads under it, c: the platform commands under it, n: a notification answered by 9013.
COMMANDS: dict[str, tuple[str, str]] = {
    "1000": ("time-out and re-sends", "c"),
    "1011": ("read the clock", "cu"),
    "1012": ("set the clock", "c"),
    "1013": ("station asks for its clock to be set", "n"),
    "1061": ("read the interval of real-time data", "cu"),
    "1062": ("set the interval of real-time data", "c"),
    "1063": ("read the interval of minute data", "cu"),
    "1064": ("set the interval of minute data", "c"),
    "1072": ("set the password", "c"),
    "2011": ("real-time data", "cu"),
    "2012": ("stop real-time data", "n"),
    "2021": ("state of equipment", "cu"),
    "2022": ("stop the state of equipment", "n"),
    "2031": ("day history of running time", "cu"),
    "2041": ("day history", "cu"),
    "2051": ("minute history", "cu"),
    "2061": ("hour history", "cu"),
    "2081": ("start-up of the logger", "u"),
    "3011": ("zero and span", "c"),
    "3012": ("sample at once", "c"),
    "3013": ("start flushing", "c"),
    "3014": ("compare samples", "c"),
    "3015": ("keep a sample over the limit", "cu"),
    "3016": ("set the sampling period", "c"),
    "3017": ("read the sampling period", "cu"),
    "3018": ("read the time of taking a sample", "cu"),
    "3019": ("serial number of the equipment", "cu"),
    "3020": ("information of the equipment", "cu"),
    "3021": ("set a parameter of the equipment", "c"),
    "9011": ("answer to a request", "a"),
    "9012": ("result of a command", "a"),
    "9013": ("acknowledgement of a notification", "a"),
    "9014": ("acknowledgement of data", "a"),
}
# ST → what the system watches.
SYSTEMS: dict[str, str] = {
    "21": "surface water",
    "22": "air",
    "23": "noise",
    "24": "groundwater",
    "25": "soil",
    "26": "sea water",
    "27": "volatile organic compounds",
    "31": "stack",
    "32": "waste water",
    "33": "water on its way",
    "34": "fly ash",
    "35": "solid waste",
    "36": "boiler",
    "37": "coal heap",
    "38": "site dust",
    "39": "dust of building sites",
    "41": "power of treatment",
    "51": "process of waste gas treatment",
    "52": "process of waste water treatment",
    "91": "dialogue",
}


class DataFlag(StrEnum):
    """The mark beside a value (`Flag`)."""

    NORMAL = "N"
    STOPPED = "F"
    MAINTENANCE = "M"
    BY_HAND = "S"
    FAULT = "D"
    CALIBRATION = "C"
    OVER_RANGE = "T"
    INSTRUMENT_LOST = "B"


QN_RETURNS: dict[str, str] = {
    "1": "ready",
    "2": "refused",
    "3": "password",
    "4": "station_number",
    "5": "system",
    "6": "flag",
    "7": "request_number",
    "8": "command",
    "9": "crc",
    "100": "unknown",
}
EXE_RETURNS: dict[str, str] = {
    "1": "success",
    "2": "failed",
    "3": "condition",
    "4": "timeout",
    "5": "busy",
    "6": "fault",
    "100": "no_data",
}
# What a real-time interval and a minute interval may be (seconds; minutes).
REAL_TIME_SECONDS = range(30, 3601)
MINUTE_INTERVALS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)


def uploads_data(frame: Frame) -> bool:
    """Return whether a frame carries data of a station and is no command under the same number."""
    number = frame.get("CN")
    if number[:1] not in ("2", "3") or (number in COMMANDS and "u" not in COMMANDS[number][1]):
        return False
    return bool(frame.factors) or "DataTime" in frame.params


def acknowledgement(frame: Frame, profile: Profile = STANDARD) -> bytes | None:
    """Return what the platform answers at once: 9014 to data, 9013 to a notification, nothing where none is wanted."""
    number = frame.get("CN")
    if uploads_data(frame):
        answer = "9014"
    elif number == "1013":
        answer = "9013"
    else:
        return None
    flag = frame.flag
    if profile.acknowledge == "never" or (
        profile.acknowledge == "flag" and not (flag is not None and flag.needs_ack)
    ):
        return None
    return reply(frame, answer, profile=profile)


def reply(
    frame: Frame, number: str, params: Mapping[str, str] | None = None, profile: Profile = STANDARD
) -> bytes:
    """Return an answer of the dialogue system: ST 91, Flag 4 (none wanted back), QN, PW and MN as in the frame."""
    names = {name.upper(): name for name in frame.fields}
    kept = {name: frame.fields[names[name]] for name in ("QN", "PW", "MN") if name in names}
    fields = {"QN": kept.get("QN"), "ST": "91", "CN": number, "PW": kept.get("PW"), "MN": kept.get("MN")}
    return encode(
        {name: text for name, text in fields.items() if text is not None} | {"Flag": "4"},
        params,
        profile=profile,
    )


def command(
    number: str,
    station: str,
    request: str,
    system: str,
    password: str,
    params: Mapping[str, str] | None = None,
    *,
    acknowledged: bool = True,
    version: int = 1,
    profile: Profile = STANDARD,
) -> bytes:
    """Return a command of the platform. `request` is the QN: the instant of sending, 17 digits down to milliseconds.

    Raises ValueError where the QN is no such number or the command is none of the standard.
    """
    if len(request) != 17 or not (request.isascii() and request.isdigit()):
        raise ValueError(f"a request number has 17 digits: {request}")
    if number not in COMMANDS or COMMANDS[number][1] == "a":
        raise ValueError(f"no command of HJ 212: {number}")
    fields = {"QN": request, "ST": system, "CN": number, "PW": password, "MN": station}
    fields["Flag"] = str(version << 2 | int(acknowledged))
    return encode(fields, params, profile=profile)


def set_real_time_interval(station: str, request: str, system: str, password: str, seconds: int) -> bytes:
    """Return command 1062. Raises ValueError outside of 30 to 3,600 s."""
    if seconds not in REAL_TIME_SECONDS:
        raise ValueError(f"30 to 3600 seconds, not {seconds}")
    return command("1062", station, request, system, password, {"RtdInterval": str(seconds)})


def set_minute_interval(station: str, request: str, system: str, password: str, minutes: int) -> bytes:
    """Return command 1064. Raises ValueError where the minutes do not divide an hour as the standard wants."""
    if minutes not in MINUTE_INTERVALS:
        raise ValueError(f"one of {MINUTE_INTERVALS} minutes, not {minutes}")
    return command("1064", station, request, system, password, {"MinInterval": str(minutes)})


def set_clock(
    station: str, request: str, system: str, password: str, moment: str, instrument: str = ""
) -> bytes:
    """Return command 1012: `moment` is YYYYMMDDhhmmss in Beijing time, of the logger or of one instrument (PolId)."""
    params = {"PolId": instrument} if instrument else {}
    return command("1012", station, request, system, password, {**params, "SystemTime": moment})


def without_passwords(text: str) -> str:
    """Return a frame as text for people: stars instead of every password in it."""
    return PASSWORD.sub(r"\g<1>******", text)
