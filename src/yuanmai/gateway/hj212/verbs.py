"""What each command to a station is on the wire: command number and parameters."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from yuanmai.gateway.orders import RefusedError

CHINA = timezone(timedelta(hours=8))  # times of HJ 212 are Beijing time
Parameters = Mapping[str, Any]
Wire = tuple[str, dict[str, str]]


def moment(text: str) -> str:
    """Return YYYYMMDDhhmmss in Beijing time of an ISO 8601 moment."""
    return datetime.fromisoformat(text).astimezone(CHINA).strftime("%Y%m%d%H%M%S")


def _clock(given: Parameters, now: datetime) -> dict[str, str]:
    return {**_instrument(given, now), "SystemTime": now.astimezone(CHINA).strftime("%Y%m%d%H%M%S")}


def _nothing(_given: Parameters, _now: datetime) -> dict[str, str]:
    return {}


def _instrument(given: Parameters, _now: datetime) -> dict[str, str]:
    return {"PolId": str(given["factor"])} if given.get("factor") else {}


def _span(given: Parameters, _now: datetime) -> dict[str, str]:
    return {"BeginTime": moment(given["begin"]), "EndTime": moment(given["end"])}


def _period(given: Parameters, now: datetime) -> dict[str, str]:
    start = str(given["start"]).replace(":", "")
    return {**_instrument(given, now), "CstartTime": start.ljust(6, "0"), "Ctime": str(given["hours"])}


def _information(given: Parameters, now: datetime) -> dict[str, str]:
    return {**_instrument(given, now), "InfoId": str(given["info"])}


def _parameter(given: Parameters, now: datetime) -> dict[str, str]:
    return {**_information(given, now), f"{given['info']}-Info": str(given["value"])}


def _of(**names: str) -> Callable[[Parameters, datetime], dict[str, str]]:
    return lambda given, _now: {wire: str(given[name]) for wire, name in names.items()}


VERBS: dict[str, tuple[str, Callable[[Parameters, datetime], dict[str, str]]]] = {
    "timeouts_set": ("1000", _of(OverTime="timeout", ReCount="resends")),
    "clock_read": ("1011", _instrument),
    "clock_set": ("1012", _clock),
    "realtime_interval_read": ("1061", _nothing),
    "realtime_interval_set": ("1062", _of(RtdInterval="seconds")),
    "minute_interval_read": ("1063", _nothing),
    "minute_interval_set": ("1064", _of(MinInterval="minutes")),
    "password_set": ("1072", _of(NewPW="password")),
    "realtime_start": ("2011", _nothing),
    "realtime_stop": ("2012", _nothing),
    "equipment_start": ("2021", _nothing),
    "equipment_stop": ("2022", _nothing),
    "history_minute": ("2051", _span),
    "history_hour": ("2061", _span),
    "history_day": ("2031", _span),
    "calibrate": ("3011", _instrument),
    "sample_now": ("3012", _instrument),
    "flush": ("3013", _instrument),
    "compare": ("3014", _instrument),
    "sample_keep": ("3015", _nothing),
    "sampling_set": ("3016", _period),
    "sampling_read": ("3017", _instrument),
    "sampling_time_read": ("3018", _instrument),
    "serial_read": ("3019", _instrument),
    "information_read": ("3020", _information),
    "parameter_set": ("3021", _parameter),
}


def wire(verb: str, parameters: Parameters, now: datetime) -> Wire:
    """Return command number and parameters. Raises RefusedError for what cannot be said in HJ 212."""
    known = VERBS.get(verb)
    if known is None:
        raise RefusedError("unknown_verb", verb)
    try:
        return known[0], known[1](parameters, now)
    except (KeyError, ValueError, TypeError) as error:
        raise RefusedError("bad_parameters", str(error)) from None


def greeting(profile: Parameters) -> list[tuple[str, dict[str, Any]]]:
    """Return what is said to a station that comes for the first time (HJ 212-2017, 6.7), as far as its profile says so.

    Profile: `greet` {"clock": true, "timeout": 10, "resends": 3, "realtime_seconds": 30, "minute_minutes": 10, "realtime": true,
    "equipment": false}; what is not named is not said.
    """
    greet = profile.get("greet")
    if not isinstance(greet, Mapping):
        return []
    said: list[tuple[str, dict[str, Any]]] = []
    if greet.get("clock"):
        said.append(("clock_set", {}))
    if greet.get("timeout") and greet.get("resends") is not None:
        said.append(("timeouts_set", {"timeout": greet["timeout"], "resends": greet["resends"]}))
    if greet.get("realtime_seconds"):
        said.append(("realtime_interval_set", {"seconds": greet["realtime_seconds"]}))
    if greet.get("minute_minutes"):
        said.append(("minute_interval_set", {"minutes": greet["minute_minutes"]}))
    asked = {name: greet[name] for name in ("realtime", "equipment") if isinstance(greet.get(name), bool)}
    return said + [(f"{name}_{'start' if wanted else 'stop'}", {}) for name, wanted in asked.items()]
