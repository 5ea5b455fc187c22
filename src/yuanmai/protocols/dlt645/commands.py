"""What a master may tell a DL/T 645-2007 meter besides reading: clock, address, freeze, speed, password, clearing, the relay."""

from yuanmai.protocols.dlt645 import frame as frames
from yuanmai.protocols.dlt645.frame import ANY, BROADCAST, encode
from yuanmai.protocols.moments import Moment

CONTROL = 0x1C  # of the relay, alarm and supply guarantee
OPEN_RELAY, PERMIT_CLOSING, CLOSE_RELAY, ALARM, END_ALARM, GUARANTEE, END_GUARANTEE = (
    0x1A, 0x1B, 0x1C, 0x2A, 0x2B, 0x3A, 0x3B)  # fmt: skip
# Bits of the byte that names a speed (bit/s).
SPEEDS = {600: 0x02, 1200: 0x04, 2400: 0x08, 4800: 0x10, 9600: 0x20, 19200: 0x40}
ALL_EVENTS = "FFFFFFFF"


def _bcd(*numbers: int) -> bytes:
    return bytes.fromhex("".join(f"{number:02d}" for number in numbers))


def _moment(when: Moment) -> bytes:
    return _bcd(when.second, when.minute, when.hour, when.day, when.month, when.year % 100)


def _secret(password: bytes, operator: bytes) -> bytes:
    if len(password) != 4 or len(operator) != 4:
        raise ValueError("password and operator have four bytes each")
    return password + operator


def set_clock(when: Moment, address: str = BROADCAST, preamble: int = 4) -> bytes:
    """Return the broadcast that sets clocks to a time (the meter's own, once a day, up to five minutes); nobody answers."""
    return encode(address, frames.CLOCK, _moment(when), preamble)


def write_address(address: str, preamble: int = 4) -> bytes:
    """Return the command that gives the only meter on a bus, programming key pressed, its address of twelve digits."""
    packed = bytes.fromhex(address)
    if len(packed) != 6:
        raise ValueError(f"an address has twelve digits: {address}")
    return encode(ANY, frames.WRITE_ADDRESS, packed[::-1], preamble)


def freeze(
    address: str = BROADCAST,
    *,
    month: int = 99,
    day: int = 99,
    hour: int = 99,
    minute: int = 99,
    preamble: int = 4,
) -> bytes:
    """Return the command that freezes values: at once, or at a time again and again; 99 stands for every month, day or hour."""
    return encode(address, frames.FREEZE, _bcd(minute, hour, day, month), preamble)


def set_speed(address: str, speed: int, preamble: int = 4) -> bytes:
    """Return the command that changes the speed of this line. Raises ValueError for one that the standard has not."""
    if speed not in SPEEDS:
        raise ValueError(f"speeds are {', '.join(map(str, SPEEDS))} bit/s, not {speed}")
    return encode(address, frames.BAUD, bytes((SPEEDS[speed],)), preamble)


def change_password(address: str, di: str, old: bytes, new: bytes, preamble: int = 4) -> bytes:
    """Return the command that changes the password a DI of eight digits names; each has four bytes, the level first."""
    if len(old) != 4 or len(new) != 4:
        raise ValueError("passwords have four bytes each")
    return encode(address, frames.PASSWORD, bytes.fromhex(di)[::-1] + old + new, preamble)


def clear_demand(address: str, password: bytes, operator: bytes, preamble: int = 4) -> bytes:
    """Return the command that clears maximum demands."""
    return encode(address, frames.CLEAR_DEMAND, _secret(password, operator), preamble)


def clear_meter(address: str, password: bytes, operator: bytes, preamble: int = 4) -> bytes:
    """Return the command that clears energies, demands, freezes, events and load records."""
    return encode(address, frames.CLEAR_METER, _secret(password, operator), preamble)


def clear_events(
    address: str, password: bytes, operator: bytes, di: str = ALL_EVENTS, preamble: int = 4
) -> bytes:
    """Return the command that clears events: all, or those of a DI of eight digits that ends in FF."""
    return encode(
        address, frames.CLEAR_EVENTS, _secret(password, operator) + bytes.fromhex(di)[::-1], preamble
    )


def control(
    address: str, what: int, until: Moment, password: bytes, operator: bytes, preamble: int = 4
) -> bytes:
    """Return the command for relay, alarm or supply guarantee; a meter does not obey it after `until`, by its own clock."""
    return encode(address, CONTROL, _secret(password, operator) + bytes((what, 0)) + _moment(until), preamble)
