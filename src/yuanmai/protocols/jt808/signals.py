"""The bits of alarm and status words of a position, by name."""

ALARMS: dict[int, str] = {
    0: "sos",
    1: "overspeed",
    2: "fatigue",
    3: "danger",
    4: "gnss_fault",
    5: "antenna_open",
    6: "antenna_short",
    7: "undervoltage",
    8: "power_loss",
    9: "display_fault",
    10: "speech_fault",
    11: "camera_fault",
    12: "ic_card_fault",
    13: "overspeed_warning",
    14: "fatigue_warning",
    15: "violation",
    16: "tyre_pressure",
    17: "right_turn_blind_spot",
    18: "driving_time",
    19: "parking_too_long",
    20: "area",
    21: "route",
    22: "section_time",
    23: "off_route",
    24: "speed_sensor_fault",
    25: "fuel",
    26: "theft",
    27: "illegal_ignition",
    28: "illegal_move",
    29: "collision",
    30: "rollover",
    31: "illegal_door",
}
# Bits 15 to 17 mean nothing before 2019.
SINCE_2019 = frozenset({15, 16, 17})
# Alarms that the platform's confirmation clears in the terminal.
CLEARED_BY_ACK = frozenset({0, 3, 20, 21, 22, 27, 28, 31})
STATUS: dict[int, str] = {
    0: "acc",
    1: "fixed",
    2: "south",
    3: "west",
    4: "out_of_service",
    5: "encrypted_position",
    6: "collision_warning",
    7: "lane_warning",
    10: "fuel_cut",
    11: "power_cut",
    12: "doors_locked",
    13: "door_1",
    14: "door_2",
    15: "door_3",
    16: "door_4",
    17: "door_5",
    18: "gps",
    19: "beidou",
    20: "glonass",
    21: "galileo",
    22: "moving",
}
STATUS_SINCE_2019 = frozenset({6, 7, 22})
LOADS = ("empty", "half", "reserved", "full")


def alarms(word: int, standard: int = 2013) -> list[str]:
    """Return the names of the alarms in an alarm word."""
    return [
        name
        for bit, name in ALARMS.items()
        if word >> bit & 1 and (standard >= 2019 or bit not in SINCE_2019)
    ]


def states(word: int, standard: int = 2013) -> list[str]:
    """Return the names of the states in a status word that are set, without the load."""
    return [
        name
        for bit, name in STATUS.items()
        if word >> bit & 1 and (standard >= 2019 or bit not in STATUS_SINCE_2019)
    ]


def load(word: int) -> str:
    """Return how loaded the vehicle is by bits 8 and 9."""
    return LOADS[word >> 8 & 3]
