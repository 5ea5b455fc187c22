"""The command line of the gateway."""

import logging
import os

import click
from django.conf import settings
from django.utils.translation import gettext as _

from yuanmai.core.console import Refused, command, print_json
from yuanmai.devices.store.journal import JournalError
from yuanmai.gateway.main import Gateway, serve
from yuanmai.gateway.options import Options, default_name, limits_of


def configured(protocol: str) -> int:
    """Return the port of a listener by the settings (`YUANMAI_PORT_…`), where 0 switches it off."""
    return settings.GATEWAY_PORTS[protocol] or -1


@click.command()
@click.option(
    "--name", default=default_name, help="Name of this gateway and of its journal.  [default: of the machine]"
)
@click.option("--host", default=lambda: settings.GATEWAY_HOST, help="Address to listen on; 0.0.0.0 for all.")
@click.option(
    "--hj212-port", default=lambda: configured("hj212"), type=int, help="HJ 212 (TCP); -1 for none."
)
@click.option(
    "--jt808-port", default=lambda: configured("jt808"), type=int, help="JT/T 808 (TCP and UDP); -1 for none."
)
@click.option(
    "--mqtt-port", default=lambda: configured("mqtt"), type=int, help="The embedded MQTT broker; -1 for none."
)
@click.option(
    "--mqtts-port",
    default=lambda: configured("mqtts"),
    type=int,
    help="The same broker with TLS; -1 for none.",
)
@command
def gateway(
    name: str, host: str, hj212_port: int, jt808_port: int, mqtt_port: int, mqtts_port: int, as_json: bool
) -> None:
    """Start the process that speaks with devices: HJ 212, JT/T 808, MQTT, Modbus, DL/T 645."""
    import uvloop

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if not name or len(name) > 60 or "/" in name or name.startswith("."):
        raise Refused(
            _("“%(name)s” is no name for a gateway: 1 to 60 characters without a slash.") % {"name": name}
        )
    try:
        limits = limits_of(os.environ)
    except ValueError as error:
        raise Refused(str(error)) from None
    options = Options(
        name,
        settings.HOME,
        host,
        hj212_port,
        jt808_port,
        mqtt_port,
        mqtts_port,
        limits,
        journal_root=settings.JOURNAL_ROOT,
    )

    def ready(started: Gateway) -> None:
        every = [
            (type(listener).__name__, getattr(listener, "addresses", [])) for listener in started.listeners
        ]
        addresses = {name: where for name, where in every if where}
        if as_json:
            print_json({"gateway": name, "listening": addresses})
        else:
            click.echo(
                f"gateway {name}: " + ", ".join(f"{what} {where}" for what, where in addresses.items())
            )

    try:
        uvloop.run(serve(options, ready))
    except (OSError, ValueError, JournalError) as error:
        raise Refused(_("The gateway cannot start: %(reason)s") % {"reason": error}) from None
