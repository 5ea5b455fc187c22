"""What a run of simulated devices has sent and had acknowledged."""

import time
from dataclasses import dataclass, field


@dataclass
class Stats:
    """Counters of a run; latencies in seconds from sending to acknowledgement, a bounded sample of them."""

    sent: int = 0
    acknowledged: int = 0
    refused: int = 0
    commands: int = 0
    connections: int = 0
    reconnects: int = 0
    latencies: list[float] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    KEPT = 100_000

    def answered(self, sent_at: float) -> None:
        """Count an acknowledgement of what was sent at this moment of the monotonic clock."""
        self.acknowledged += 1
        latency = time.monotonic() - sent_at
        if len(self.latencies) < self.KEPT:
            self.latencies.append(latency)
        else:
            self.latencies[self.acknowledged % self.KEPT] = latency

    def quantile(self, share: float) -> float | None:
        """Return the latency that this share of the acknowledgements did not exceed."""
        if not self.latencies:
            return None
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def line(self) -> dict[str, float | int | None]:
        """Return the counters so far as one record."""
        seconds = time.monotonic() - self.began
        p50, p99 = self.quantile(0.5), self.quantile(0.99)
        return {
            "seconds": round(seconds, 1),
            "connections": self.connections,
            "reconnects": self.reconnects,
            "sent": self.sent,
            "acknowledged": self.acknowledged,
            "refused": self.refused,
            "commands_answered": self.commands,
            "acknowledged_per_second": round(self.acknowledged / seconds, 1) if seconds else 0,
            "ack_p50_ms": None if p50 is None else round(p50 * 1000, 1),
            "ack_p99_ms": None if p99 is None else round(p99 * 1000, 1),
        }
