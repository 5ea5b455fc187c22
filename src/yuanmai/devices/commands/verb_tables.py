"""The tables of commands: HJ 212-2017 chapter 6, JT/T 808-2011/2013/2019 chapter 8, writing of points, MQTT."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yuanmai.devices.commands.parameters import Parameter, Text
from yuanmai.devices.commands.verbs import Verb

CLOCK, REPORT, HISTORY, FIELD, CARE = (
    _("Clock and connection"),
    _("Reporting"),
    pgettext_lazy("command", "History"),
    _("Instruments and sampling"),
    _("Care of the device"),
)
DRIVER, AREAS, SET = _("To the driver"), _("Areas and routes"), _("Settings")
SIGNS = r"[^;,&#=/\s]{1,40}"
FACTOR = Parameter("factor", _("Factor (code)"), required=False, high=20, pattern=r"[A-Za-z0-9_-]{1,20}", help=_("Like w01018; empty for the logger itself."))  # fmt: skip
NEEDED_FACTOR = Parameter(
    "factor", _("Factor (code)"), high=20, pattern=r"[A-Za-z0-9_-]{1,20}", help=_("Like w01018.")
)
SPAN = (
    Parameter("begin", pgettext_lazy("command", "From"), "moment"),
    Parameter("end", pgettext_lazy("command", "Until"), "moment"),
)
INFO = Parameter(
    "info", _("Information (code)"), high=20, pattern=r"[A-Za-z0-9_-]{1,20}", help=_("Like i13004.")
)

HJ212 = (
    Verb("clock_set", _("Set the clock"), CLOCK, (FACTOR,), _("The station gets the time of this system (1012)."), "clock"),
    Verb("clock_read", _("Read the clock"), CLOCK, (FACTOR,), _("The station says what time it has (1011)."), "clock"),
    Verb("timeouts_set", _("Set time-out and re-sends"), CLOCK, (
        Parameter("timeout", _("Time-out (s)"), "whole", low=1, high=3600, default=10),
        Parameter("resends", _("Re-sends"), "whole", low=0, high=20, default=3),
    ), _("How long the station waits for an answer, and how often it sends again (1000)."), "hourglass"),
    Verb("realtime_interval_set", _("Set the interval of real-time data"), REPORT, (
        Parameter("seconds", _("Interval (s)"), "whole", low=30, high=3600, default=60),
    ), _("How often the station sends real-time data (1062)."), "refresh"),
    Verb("realtime_interval_read", _("Read the interval of real-time data"), REPORT, (), _("The station says how often it sends real-time data (1061)."), "refresh"),
    Verb("minute_interval_set", _("Set the interval of minute data"), REPORT, (
        Parameter("minutes", _("Interval (min)"), "choice", choices=tuple((n, str(n)) for n in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)), default=10),
    ), _("How many minutes one row of minute data covers (1064)."), "refresh"),
    Verb("minute_interval_read", _("Read the interval of minute data"), REPORT, (), _("The station says how many minutes one row covers (1063)."), "refresh"),
    Verb("realtime_start", _("Start real-time data"), REPORT, (), _("The station begins to send real-time data (2011)."), "player-play"),
    Verb("realtime_stop", _("Stop real-time data"), REPORT, (), _("2012; the device then counts as silent."), "player-pause", drastic=True),
    Verb("equipment_start", _("Start reporting the state of equipment"), REPORT, (), _("The station reports whether treatment equipment runs (2021)."), "player-play"),
    Verb("equipment_stop", _("Stop reporting the state of equipment"), REPORT, (), _("The station no longer reports whether treatment equipment runs (2022)."), "player-pause"),
    Verb("history_minute", _("Fetch minute data"), HISTORY, SPAN, _("2051; what comes is stored like data of its time."), "history"),
    Verb("history_hour", _("Fetch hour data"), HISTORY, SPAN, _("2061; what comes is stored like data of its time."), "history"),
    Verb("history_day", _("Fetch day data"), HISTORY, SPAN, _("2031; what comes is stored like data of its time."), "history"),
    Verb("calibrate", _("Check zero and span"), FIELD, (NEEDED_FACTOR,), _("The instrument measures its standards; no valid data meanwhile (3011)."), "adjustments", repeatable=False, drastic=True),
    Verb("sample_now", _("Sample at once"), FIELD, (NEEDED_FACTOR,), _("The instrument takes one sample outside its plan (3012)."), "adjustments", repeatable=False),
    Verb("flush", _("Start flushing"), FIELD, (NEEDED_FACTOR,), _("The instrument rinses or blows back (3013)."), "adjustments", repeatable=False),
    Verb("compare", _("Start comparing samples"), FIELD, (NEEDED_FACTOR,), _("Samples are taken for a comparison in the laboratory (3014)."), "adjustments", repeatable=False),
    Verb("sample_keep", _("Keep a sample"), FIELD, (), _("3015; the station answers with the number of the bottle."), "adjustments", repeatable=False),
    Verb("sampling_set", _("Set the sampling period"), FIELD, (
        NEEDED_FACTOR,
        Parameter("start", _("First sample of the day (hh:mm)"), high=5, default="00:00", pattern=r"([01]\d|2[0-3]):[0-5]\d", help=_("Like 08:30.")),
        Parameter("hours", _("Every … hours"), "whole", low=1, high=24, default=4),
    ), _("When the first sample of the day is taken, and how often (3016)."), "adjustments"),
    Verb("sampling_read", _("Read the sampling period"), FIELD, (NEEDED_FACTOR,), _("The instrument says when it takes samples (3017)."), "adjustments"),
    Verb("sampling_time_read", _("Read how long a sample takes"), FIELD, (NEEDED_FACTOR,), _("The instrument says how long a result takes (3018)."), "adjustments"),
    Verb("serial_read", _("Read the serial number"), CARE, (FACTOR,), _("The device says its unique number (3019)."), "id"),
    Verb("information_read", _("Read information of an instrument"), CARE, (NEEDED_FACTOR, INFO), _("What an instrument says of its state, log or settings (3020)."), "info-circle"),
    Verb("parameter_set", _("Set a parameter of an instrument"), CARE, (
        NEEDED_FACTOR, INFO, Parameter("value", _("Value"), high=40, pattern=SIGNS, help=_("Up to 40 signs without ; , & # = / and blanks.")),
    ), _("A setting of an instrument is changed (3021)."), "settings", drastic=True),
    Verb("password_set", _("Set the password"), CARE, (
        Parameter("password", _("New password (6 signs)"), "secret", high=6, pattern=r"[A-Za-z0-9]{6}", help=_("Six letters or digits.")),
    ), _("1072; afterwards the secret of the device must be set to the same."), "key", drastic=True),
)  # fmt: skip

ALARMS = (
    Parameter("in_alarm_platform", _("Alarm here when it drives in"), "yes"),
    Parameter("out_alarm_platform", _("Alarm here when it drives out"), "yes"),
    Parameter("in_alarm_driver", _("Warn the driver when it drives in"), "yes"),
    Parameter("out_alarm_driver", _("Warn the driver when it drives out"), "yes"),
)
CONDITIONS = (
    Parameter("max_speed", _("Highest speed (km/h)"), "whole", required=False, low=1, high=200),
    Parameter(
        "duration",
        _("Overspeed lasts (s)"),
        "whole",
        required=False,
        low=1,
        high=255,
        help=_("Until it counts; 10 where left empty."),
    ),
    Parameter(
        "night_max_speed",
        _("Highest speed at night (km/h)"),
        "whole",
        required=False,
        low=1,
        high=200,
        help=_("Terminals of 2019."),
    ),
    Parameter("begin", _("Holds from"), "moment", required=False),
    Parameter("end", _("Holds until"), "moment", required=False),
)
AREA = Parameter("area", _("Number of the area"), "whole", low=1, high=4_294_967_295, default=1,
                 help=_("Under this number the terminal keeps it and reports entering and leaving. To change an area, delete it first."))  # fmt: skip
NAME = Parameter("name", _("Name"), required=False, high=60, coding="gb18030", help=_("Terminals of 2019."))
AREAS_GIVEN = Parameter("areas", _("Numbers of areas"), "wholes", required=False, low=1, high=4_294_967_295, help=_("Separated by commas; empty for all."))  # fmt: skip


def _corners(label: Text, least: int) -> Parameter:
    return Parameter(
        "corners",
        label,
        "corners",
        low=least,
        help=_("One point in each line: longitude, latitude (WGS 84)."),
    )


JT808 = (
    Verb("text", _("Send a text"), DRIVER, (
        Parameter("text", _("Text"), "long", high=1000, coding="gb18030"),
        Parameter("display", _("Show on the display"), "yes", default=True),
        Parameter("speak", _("Read aloud"), "yes", default=True),
        Parameter("urgent", _("Urgent"), "yes"),
        Parameter("advert", _("On the advertising display"), "yes"),
    ), _("Shown or read to the driver (0x8300)."), "message"),
    Verb("photo", _("Take a photo"), DRIVER, (
        Parameter("channel", _("Camera"), "whole", low=1, high=64, default=1),
        Parameter("shots", _("Number of photos"), "whole", low=1, high=10, default=1),
        Parameter("interval", _("Interval (s)"), "whole", required=False, low=0, high=3600),
        Parameter("resolution", _("Resolution"), "choice", choices=((1, "320×240"), (2, "640×480"), (3, "800×600"), (4, "1024×768")), default=2),
        Parameter("quality", _("Quality (1 is best)"), "whole", low=1, high=10, default=5),
    ), _("The pictures come by themselves afterwards (0x8801)."), "camera", repeatable=False),
    Verb("alarm_confirm", _("Confirm an alarm"), DRIVER, (
        Parameter("alarms", _("Kind of alarm"), "choice", choices=(
            (1, pgettext_lazy("alarm", "Emergency")), (8, pgettext_lazy("alarm", "Danger warning")), (1 << 20, _("In or out of an area")),
            (1 << 21, _("In or out of a route")), (1 << 22, _("Driving time of a section")), (1 << 27, _("Illegal ignition")),
            (1 << 28, _("Illegal movement")),
        )),
        Parameter("serial", _("Serial of the message"), "whole", required=False, low=0, high=65535, help=_("Empty or 0 for all of this kind.")),
    ), _("The terminal clears the alarm (0x8203)."), "checks"),
    Verb("locate", _("Ask for the position"), REPORT, (), _("The terminal answers with its position at once (0x8201)."), "map-pin"),
    Verb("track", _("Follow for a while"), REPORT, (
        Parameter("seconds", _("Every … seconds"), "whole", low=0, high=65535, default=5, help=_("0 stops.")),
        Parameter("validity", _("For … seconds"), "whole", required=False, low=0, high=86_400, default=600),
    ), _("The terminal reports more often for a while (0x8202)."), "map-2"),
    Verb("intervals_set", _("Set intervals"), REPORT, (
        Parameter("report", _("Position (s)"), "whole", required=False, low=1, high=86_400),
        Parameter("asleep", _("Position when parked (s)"), "whole", required=False, low=1, high=86_400),
        Parameter("emergency", _("Position in an emergency (s)"), "whole", required=False, low=1, high=86_400),
        Parameter("heartbeat", _("Heartbeat (s)"), "whole", required=False, low=1, high=3_600),
    ), _("How often the terminal reports; what is left empty stays (0x8103)."), "refresh"),
    Verb("circle_set", _("Set a round area"), AREAS, (
        AREA, NAME, Parameter("longitude", _("Longitude (WGS84)"), "number", low=-180, high=180),
        Parameter("latitude", _("Latitude (WGS84)"), "number", low=-90, high=90),
        Parameter("radius", _("Radius (m)"), "whole", low=1, high=100_000, default=200), *CONDITIONS, *ALARMS,
    ), _("The terminal warns when the vehicle enters or leaves a circle (0x8600)."), "circle"),
    Verb("rectangle_set", _("Set a rectangular area"), AREAS, (
        AREA, NAME, Parameter("west", _("West (longitude)"), "number", low=-180, high=180), Parameter("north", _("North (latitude)"), "number", low=-90, high=90),
        Parameter("east", _("East (longitude)"), "number", low=-180, high=180), Parameter("south", _("South (latitude)"), "number", low=-90, high=90),
        *CONDITIONS, *ALARMS,
    ), _("The terminal warns when the vehicle enters or leaves a rectangle (0x8602)."), "square"),
    Verb("polygon_set", _("Set an area of any form"), AREAS, (AREA, NAME, _corners(_("Corners"), 3), *CONDITIONS, *ALARMS), _("The terminal warns when the vehicle enters or leaves the area (0x8604)."), "polygon"),
    Verb("route_set", _("Set a route"), AREAS, (
        AREA, NAME, _corners(_("Turning points"), 2), Parameter("width", _("Width (m)"), "whole", low=1, high=255, default=50), *CONDITIONS, *ALARMS,
    ), _("The terminal warns when the vehicle leaves the route (0x8606)."), "route"),
    *(
        Verb(code, name, AREAS, (AREAS_GIVEN,), about, "trash", drastic=True)
        for code, name, about in (
            ("circle_delete", _("Delete round areas"), _("The terminal forgets round areas (0x8601).")),
            ("rectangle_delete", _("Delete rectangular areas"), _("The terminal forgets rectangular areas (0x8603).")),
            ("polygon_delete", _("Delete areas of any form"), _("The terminal forgets areas of any form (0x8605).")),
            ("route_delete", _("Delete routes"), _("The terminal forgets routes (0x8607).")),
        )
    ),
    Verb("parameters_read", _("Read all parameters"), SET, (), _("The terminal answers with all its settings (0x8104)."), "list"),
    Verb("parameters_ask", _("Read some parameters"), SET, (
        Parameter("names", _("Names"), "names", help=_("Like heartbeat_s, report_default_s; separated by commas.")),
    ), _("Only the settings that are named (0x8106, since 2013)."), "list"),
    Verb("parameters_set", _("Set parameters"), SET, (
        Parameter("values", _("Parameters"), "pairs", help=_("One in each line, like max_speed_kmh=60. “Read all parameters” shows the names.")),
    ), _("Settings of the terminal by name (0x8103)."), "settings", drastic=True),
    Verb("attributes_read", _("Read maker, model and versions"), SET, (), _("Maker, model, identity, card and versions of the terminal (0x8107, since 2013)."), "info-circle"),
    Verb("control", _("Switch the terminal"), CARE, (
        Parameter("control", pgettext_lazy("command", "What"), "choice", choices=(
            (4, _("Restart")), (3, _("Switch off")), (5, _("Back to factory settings")), (6, _("End data communication")),
            (7, _("End all wireless communication")),
        )),
    ), _("Some of these can only be undone at the vehicle (0x8105)."), "bolt", repeatable=False, drastic=True),
)  # fmt: skip

POINT = Parameter("point", _("Point"), "point", high=60)
WRITE = Verb("write", _("Set a value"), SET, (POINT, Parameter("value", _("Value"), "number")), _("The value in the unit of the point."), "pencil", writes_point=True)  # fmt: skip
PUBLISH = Verb("publish", _("Publish a message"), CARE, (
    Parameter("topic", _("Topic"), high=300, pattern=r"[^+#\0]{1,300}", help=_("Without + and #.")),
    Parameter("payload", _("Content"), "payload", required=False, high=65_536),
    Parameter("retain", _("Keep as last message"), "yes"),
), _("To whatever the device listens to."), "send")  # fmt: skip
REBIRTH = Verb(
    "rebirth", _("Ask for a new birth"), REPORT, (), _("The node names all its metrics again."), "refresh"
)

VERBS: dict[str, dict[str, Verb]] = {
    protocol: {verb.code: verb for verb in verbs}
    for protocol, verbs in {
        "hj212": HJ212,
        "jt808": JT808,
        "modbus": (WRITE,),
        "mqtt": (WRITE, PUBLISH),
        "sparkplug": (WRITE, REBIRTH),
    }.items()
}
