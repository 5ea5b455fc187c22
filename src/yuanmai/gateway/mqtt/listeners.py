"""What of MQTT a gateway runs: the embedded broker, and a client where a broker beside us is named."""

import time
from pathlib import Path

from yuanmai.gateway.certificate import Certificate
from yuanmai.gateway.hub import Hub, Listener
from yuanmai.gateway.mqtt.access import Identity
from yuanmai.gateway.mqtt.broker import Broker
from yuanmai.gateway.mqtt.client import Upstream, address_of
from yuanmai.gateway.mqtt.senders import JsonSender
from yuanmai.gateway.mqtt.sparkplug import HOST, SparkplugHost
from yuanmai.gateway.options import Options


class BrokerListener(Broker):
    """The broker with all that speaks back to devices."""

    sender: JsonSender
    sparkplug: SparkplugHost

    def attend(self, host: str) -> None:
        """Send commands, follow Sparkplug as this host."""
        self.sender = JsonSender(self.hub, self)
        self.sparkplug = SparkplugHost(self.hub, self, host)
        self.on_arrival = self._arrived
        self.on_departure = self._left

    async def start(self) -> None:
        """Listen, and say that the host is there."""
        await super().start()
        self.publish(self.sparkplug.state(True, time.time_ns() // 1_000_000))

    async def stop(self) -> None:
        """Say that the host goes, then stop."""
        self.publish(self.sparkplug.state(False, time.time_ns() // 1_000_000))
        await super().stop()

    def _arrived(self, who: Identity) -> None:
        if who.device is not None and who.device.protocol == "mqtt":
            self.hub.commands.register("mqtt", who.device.key, self.sender.send)

    def _left(self, who: Identity) -> None:
        if who.device is not None and who.device.protocol == "mqtt":
            self.hub.commands.remove("mqtt", who.device.key, self.sender.send)


def listeners(hub: Hub, options: Options) -> list[Listener]:
    """Return the broker unless its port is -1, and the client where `YUANMAI_MQTT_BROKER` names a broker.

    Raises ValueError where the broker shall speak TLS and has no certificate.
    """
    made: list[Listener] = []
    host = options.environment.get("YUANMAI_SPARKPLUG_HOST", HOST)
    if options.mqtt_port >= 0 or options.mqtts_port >= 0:
        open_door = options.environment.get("YUANMAI_GATEWAY_UNKNOWN", "keep") != "refuse"
        broker = BrokerListener(
            hub, options.host, options.mqtt_port, folder=options.home / "mqtt", open_door=open_door
        )
        broker.attend(host)
        if options.mqtts_port >= 0:
            broker.secure = options.mqtts_port, certificate_of(options)
        made.append(broker)
    url = options.environment.get("YUANMAI_MQTT_BROKER", "")
    if url:
        made.append(upstream(hub, url, host))
    return made


def certificate_of(options: Options) -> Certificate:
    """Return the certificate of the gateway. Raises ValueError where the environment names none, or what it names is none."""
    chain, key = (
        options.environment.get(name, "") for name in ("YUANMAI_TLS_CERTIFICATE", "YUANMAI_TLS_KEY")
    )
    if not chain or not key:
        raise ValueError(
            "MQTT with TLS wants YUANMAI_TLS_CERTIFICATE and YUANMAI_TLS_KEY: the paths of two PEM files"
        )
    return Certificate(Path(chain), Path(key))


def upstream(hub: Hub, url: str, host: str) -> Upstream:
    """Return the client of a broker, with all that speaks back to devices. Raises ValueError for an address that is none."""
    stamp = time.time_ns() // 1_000_000
    client = Upstream(hub, address_of(url))
    sparkplug = SparkplugHost(hub, client, host)
    client.will = lambda online: sparkplug.state(online, stamp)
    sender = JsonSender(hub, client)
    hub.commands.register_all("mqtt", sender.send, lambda _device: client.connected)
    return client
