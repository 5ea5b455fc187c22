"""`yuanmai simulate`."""

import asyncio
import contextlib
import json

import click

from yuanmai.demo.simulators.run import CLIENTS, METERS, PORTS, run_clients, run_meters
from yuanmai.demo.simulators.stats import Stats


@click.command()
@click.argument("kind", type=click.Choice([*CLIENTS, *METERS, "park"]))
@click.option("--count", default=10, show_default=True, type=click.IntRange(1, 100_000), help="Devices.")
@click.option(
    "--rate",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.001),
    help="Messages a second of all together.",
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Where the gateway listens, or the meters shall."
)
@click.option("--port", type=click.IntRange(1, 65_535), help="Default: the usual port of the protocol.")
@click.option(
    "--first", default=0, show_default=True, help="Number of the first device; numbers make identities."
)
@click.option("--seconds", type=click.FloatRange(0.1), help="End after so long; default: never.")
@click.option("--json", "as_json", is_flag=True, help="Print the counters as JSON lines.")
def simulate(
    kind: str,
    count: int,
    rate: float,
    host: str,
    port: int | None,
    first: int,
    seconds: float | None,
    as_json: bool,
) -> None:
    """Run simulated devices against a gateway: load for a trial, or the small set of the demonstration (park)."""
    stats = Stats()

    def show(line: dict[str, float | int | None]) -> None:
        if as_json:
            click.echo(json.dumps({"kind": kind, **line}))
        else:
            click.echo("  ".join(f"{key} {value}" for key, value in line.items() if value is not None))

    async def run() -> None:
        if kind == "park":
            from yuanmai.demo.simulators.park import run_park

            work = asyncio.create_task(run_park(host, stats))
        elif kind in METERS:
            work = asyncio.create_task(run_meters(kind, count, host, port or PORTS[kind], stats, first))
        else:
            protocol = CLIENTS[kind][0]
            work = asyncio.create_task(
                run_clients(kind, count, rate, host, port or PORTS[protocol], stats, first)
            )
        loop = asyncio.get_running_loop()
        ends = None if seconds is None else loop.time() + seconds
        while not work.done() and (ends is None or loop.time() < ends):
            await asyncio.wait({work}, timeout=10 if ends is None else min(10, max(0.01, ends - loop.time())))
            if kind != "park":
                show(stats.line())
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work

    with contextlib.suppress(KeyboardInterrupt):
        try:
            import uvloop
        except ImportError:  # Windows
            asyncio.run(run())
        else:
            uvloop.run(run())
