"""What may be wrong with a reading: bits of its `quality`. 0 is good; sums and rates take what `COUNTS` lets through."""

GOOD = 0
FLAGGED = 1  # the device itself says so (HJ 212 flag other than N; Sparkplug quality bad; position not fixed)
RANGE = 2  # outside the point's plausible range
CLOCK = 4  # the device's time cannot be right (before 2000, or more than a day ahead of its arrival)
AHEAD = 8  # up to a day ahead of its arrival
LATE = 16  # came more than a day after its time
NOT_A_NUMBER = 32  # NaN, infinite or not readable as a number: the value is kept empty
JUMP = 64  # changed faster than plausible
SUBSTITUTED = 128  # set by hand or replaced

# Readings with one of these never enter a mean, a sum or a roll-up; they stay visible in the raw history.
EXCLUDED = FLAGGED | RANGE | CLOCK | NOT_A_NUMBER | JUMP


def counts(quality: int) -> bool:
    """Return whether a reading enters means and sums."""
    return not quality & EXCLUDED
