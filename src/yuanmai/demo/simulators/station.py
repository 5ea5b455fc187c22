"""A pollution-monitoring station: HJ 212-2017 as a data logger speaks it."""

import asyncio
import re
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from yuanmai.demo.simulators.link import Client
from yuanmai.demo.simulators.stats import Stats
from yuanmai.demo.simulators.world import signal

LOCAL = timezone(timedelta(hours=8))
# What a station of each kind measures: factor code → (usual value, digits behind the point).
# fmt: off
FACTORS: dict[str, dict[str, tuple[float, int]]] = {
    "32": {
        "w01001": (7.2, 2), "w01018": (38.0, 1), "w21003": (2.4, 3), "w21011": (0.31, 3), "w21001": (9.6, 2), "w01010": (19.0, 1),
        "w01012": (14.0, 0), "w00000": (12.5, 2),
    },
    "31": {
        "a34013": (8.6, 2), "a21026": (21.0, 2), "a21002": (38.0, 2), "a21005": (64.0, 2), "a19001": (8.4, 2), "a01011": (11.2, 2),
        "a01012": (128.0, 1), "a01013": (0.12, 3), "a01014": (9.1, 2), "a00000": (46.0, 1),
    },
    "27": {"a24088": (12.4, 3), "a24087": (18.1, 3), "a25002": (0.6, 3), "a01012": (41.0, 1), "a01011": (7.7, 2)},
    "39": {
        "a34001": (118.0, 1), "a34002": (71.0, 1), "a34004": (36.0, 1), "a01001": (24.0, 1), "a01002": (63.0, 1), "a01006": (100.9, 2),
        "a01007": (2.1, 1), "a01008": (140.0, 0), "LA": (58.0, 1),
    },
    "23": {"LA": (54.0, 1), "Leq": (55.0, 1)},
}
# fmt: on
# By what share of the usual value some factors swing over the day; others by a fifth.
STEADY = {"w01001": 0.06, "w01010": 0.1, "a01006": 0.008, "a19001": 0.08, "LA": 0.12, "Leq": 0.12}


def checksum(segment: bytes) -> bytes:
    """Return the four digits behind a segment, by the standard's words (Appendix A): the bit loop, high byte set aside first."""
    register = 0xFFFF
    for byte in segment:
        register = (register >> 8) ^ byte
        for _bit in range(8):
            low = register & 1
            register >>= 1
            if low:
                register ^= 0xA001
    return b"%04X" % register


def frame(segment: str) -> bytes:
    """Return the frame of a data segment."""
    body = segment.encode()
    return b"##%04d%s%s\r\n" % (len(body), body, checksum(body))


def moment(at: float) -> str:
    """Return a time as a QN has it: to the millisecond, local."""
    return datetime.fromtimestamp(at, LOCAL).strftime("%Y%m%d%H%M%S%f")[:17]


@dataclass(frozen=True)
class Surge:
    """What goes wrong now and then: for `lasts` of every `every` seconds a factor is `times` its usual value.

    `first`: so many seconds after the station was switched on as well, so that nobody has to wait for it.
    """

    factor: str
    times: float
    every: float
    lasts: float
    first: float | None = None

    def on(self, at: float, since: float | None) -> bool:
        """Whether it goes wrong at a moment; `since`: when the station was switched on."""
        if self.first is not None and since is not None and 0 <= at - since - self.first < self.lasts:
            return True
        return at % self.every < self.lasts


class Station(Client):
    """One station; with a `surge`, so that the demonstration has alarms."""

    def __init__(
        self,
        host: str,
        port: int,
        period: float,
        stats: Stats,
        *,
        mn: str,
        kind: str = "32",
        password: str = "123456",  # noqa: S107
        surge: Surge | None = None,
    ) -> None:
        super().__init__(host, port, period, stats)
        self.mn, self.kind, self.password = mn, kind, password
        self.heard = b""
        self.surge = surge
        self.interval = int(period)
        self.last_qn = 0
        self.minute = 0
        self.since: float | None = None

    async def greet(self, reader: asyncio.StreamReader) -> None:
        """HJ 212 knows no greeting."""
        if self.since is None:
            self.since = time.time()

    def qn(self, at: float) -> str:
        """Return a number of a dialogue that this station has not used."""
        wanted = max(int(moment(at)), self.last_qn + 1)
        self.last_qn = wanted
        return str(wanted)

    def value(self, code: str, at: float) -> float:
        """Return what the station measures."""
        usual, _digits = FACTORS[self.kind][code]
        wrong = self.surge is not None and self.surge.factor == code and self.surge.on(at, self.since)
        return signal(self.mn + code, at, usual, STEADY.get(code, 0.2)) * (
            self.surge.times if self.surge is not None and wrong else 1.0
        )

    def say(self, at: float) -> None:
        """Send the values of the moment, and every ten minutes those of the period that has ended."""
        qn = self.qn(at)
        parts = [
            f"{code}-Rtd={self.value(code, at):.{digits}f},{code}-Flag=N"
            for code, (_usual, digits) in FACTORS[self.kind].items()
        ]
        when = datetime.fromtimestamp(at, LOCAL).strftime("%Y%m%d%H%M%S")
        self.upload("2011", qn, when, parts)
        minute = int(at // 600)
        if self.minute and minute != self.minute:
            self.period_values(minute * 600 - 600, at)
        self.minute = minute

    def period_values(self, begin: float, at: float) -> None:
        """Send least, mean and greatest of ten minutes (2051); the time is that of their beginning."""
        parts = []
        for code, (_usual, digits) in FACTORS[self.kind].items():
            values = [self.value(code, begin + step * 30) for step in range(20)]
            low, mean, high = min(values), sum(values) / len(values), max(values)
            parts.append(
                f"{code}-Min={low:.{digits}f},{code}-Avg={mean:.{digits}f},{code}-Max={high:.{digits}f},{code}-Flag=N"
            )
        self.upload("2051", self.qn(at), datetime.fromtimestamp(begin, LOCAL).strftime("%Y%m%d%H%M%S"), parts)

    def upload(self, command: str, qn: str, when: str, parts: list[str]) -> None:
        """Send values and expect 9014."""
        head = f"QN={qn};ST={self.kind};CN={command};PW={self.password};MN={self.mn};Flag=5;"
        self.send(frame(f"{head}CP=&&DataTime={when};{';'.join(parts)}&&"), qn)

    def hear(self, data: bytes) -> None:
        """Take acknowledgements and commands."""
        self.heard += data
        while (end := self.heard.find(b"\r\n")) >= 0:
            line, self.heard = self.heard[:end], self.heard[end + 2 :]
            begin = line.find(b"##")
            if begin < 0 or len(line) < begin + 10:
                continue
            segment, digits = line[begin + 6 : -4], line[-4:]
            if checksum(segment) != digits.upper():
                self.stats.refused += 1
                continue
            self.answer(segment.decode("utf-8", "replace"))

    def answer(self, segment: str) -> None:
        """Answer one message of the platform."""
        said = dict(re.findall(r"(?:^|;)(QN|ST|CN|PW|MN|Flag)=([^;]*)", segment))
        command, qn = said.get("CN", ""), said.get("QN", "")
        if command in ("9014", "9013"):
            self.acknowledge(qn)
            return
        if said.get("MN") != self.mn:
            return
        ready = 1 if said.get("PW") == self.password else 3
        known = command in (
            "1000",
            "1011",
            "1012",
            "1061",
            "1062",
            "1063",
            "1064",
            "1072",
            "2011",
            "2012",
            "2021",
            "2022",
            "3020",
            "3019",
            "2051",
        )
        if ready == 1 and not known:
            ready = 8
        head = f"QN={qn};ST=91;CN=%s;PW={self.password};MN={self.mn};Flag=4;CP=&&%s&&"
        self.send(frame(head % ("9011", f"QnRtn={ready}")))
        self.stats.commands += 1
        if ready != 1:
            return
        parameters = dict(re.findall(r"(\w+)=([^;,&]*)", segment.partition("CP=&&")[2]))
        now = time.time()
        own = f"QN={qn};ST={self.kind};CN={command};PW={self.password};MN={self.mn};Flag=4;CP=&&%s&&"
        if command == "1011":
            self.send(frame(own % f"SystemTime={datetime.fromtimestamp(now, LOCAL):%Y%m%d%H%M%S}"))
        elif command == "1061":
            self.send(frame(own % f"RtdInterval={self.interval}"))
        elif command == "1062":
            self.interval = int(parameters.get("RtdInterval", self.interval))
            self.period = float(self.interval)
        elif command == "1063":
            self.send(frame(own % "MinInterval=10"))
        elif command == "1072":
            self.password = parameters.get("NewPW", self.password)
        elif command == "2051":
            self.period_values(now // 600 * 600 - 600, now)
        self.send(frame(head % ("9012", "ExeRtn=1")))
