"""Pure computation of the devices room: no Django, no I/O, no clock."""
