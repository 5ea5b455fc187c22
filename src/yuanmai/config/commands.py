"""The processes and the care of an installation."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import click
from django.conf import settings
from django.core.management import call_command
from django.utils.translation import gettext as _

from yuanmai.core.console import Refused, command, print_json
from yuanmai.core.web.metrics import forget as forget_counts

STOP_WITHIN = 30.0  # seconds
CACHE_ABANDONED = (
    24 * 3600
)  # seconds without a change after which a folder of kept figures belongs to no running process


def prepare() -> None:
    """Migrate the database and make sure that the presets are there: roles, and the library of product templates."""
    from yuanmai.devices.registry.starting import ensure_templates
    from yuanmai.people.presets_loader import ensure_roles

    call_command("migrate", interactive=False, verbosity=0)
    ensure_roles()
    ensure_templates()


@click.command()
@command
def migrate(as_json: bool) -> None:
    """Bring the database up to date."""
    prepare()
    if as_json:
        print_json({"migrated": True})


def web_arguments(host: str, port: int, workers: int) -> list[str]:
    """Return the command line of the web server."""
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", str(workers), "--blocking-threads", "4", "--backlog", "512", "--no-ws", "--respawn-failed-workers",
        "--log-level", "warning", "yuanmai.config.wsgi:application",
    ]  # fmt: skip


def check_assets() -> None:
    """Refuse to serve pages without style and script; raises `Refused` with what to do."""
    if not (settings.ASSETS / "manifest.json").is_file():
        raise Refused(
            _(
                "The built assets are missing (%(path)s). In a checkout run “make setup”; a wheel has them inside."
            )
            % {"path": settings.ASSETS}
        )


def check_port(host: str, port: int) -> None:
    """Raise `Refused` with what to do where the address cannot be listened on."""
    try:
        family, _type, _proto, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, OverflowError) as error:
        message = _("Cannot listen on %(host)s:%(port)s (%(reason)s). Choose another port with --port.")
        reason = getattr(error, "strerror", None) or str(error)
        raise Refused(message % {"host": host, "port": port, "reason": reason}) from None


def share_cache() -> None:
    """Give the processes of this run a folder for the figures they compute, and clear away those of runs long ended.

    Each run begins with an empty one: what a restored backup, or a new version of the program, would answer differently
    cannot be left over in it.
    """
    folder = settings.HOME / "cache"
    folder.mkdir(mode=0o700, exist_ok=True)
    for run in folder.iterdir():
        with contextlib.suppress(OSError):
            if run.stat().st_mtime < time.time() - CACHE_ABANDONED:
                shutil.rmtree(run)
    os.environ["YUANMAI_SHARED_CACHE"] = tempfile.mkdtemp(prefix="run-", dir=folder)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=max(1, os.cpu_count() or 1), show_default=True)
@command
def web(host: str, port: int, workers: int, as_json: bool) -> None:
    """Start the web process."""
    check_assets()
    check_port(host, port)
    share_cache()
    os.execv(sys.executable, web_arguments(host, port, workers))  # noqa: S606


def live_arguments(host: str, port: int) -> list[str]:
    """Return the command line of the process that streams events to pages."""
    return [
        sys.executable, "-m", "granian", "--interface", "asgi", "--host", host, "--port", str(port), "--workers", "1",
        "--backpressure", "2200", "--backlog", "512", "--no-ws", "--log-level", "warning", "yuanmai.config.live:application",
    ]  # fmt: skip


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=None, type=int, help="Default: YUANMAI_LIVE_PORT.")
@command
def live(host: str, port: int | None, as_json: bool) -> None:
    """Start the process that streams what moves by itself to pages."""
    where = port or settings.LIVE_PORT
    check_port(host, where)
    os.execv(sys.executable, live_arguments(host, where))  # noqa: S606


@click.command()
@click.option("--batch", is_flag=True, help="Stop when the queue is empty.")
@command
def worker(batch: bool, as_json: bool) -> None:
    """Start the process that does background work and keeps the schedule."""
    from yuanmai.core.jobs.worker import work

    work(batch=batch)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=max(1, os.cpu_count() or 1), show_default=True)
@click.option("--devices/--no-devices", default=True, help="Also what devices need: gateway, ingest, live.")
@command
def serve(host: str, port: int, workers: int, devices: bool, as_json: bool) -> None:
    """Start everything on this machine under one parent: web, worker, gateway, ingest, live."""
    check_assets()
    check_port(host, port)
    prepare()
    forget_counts()
    share_cache()
    commands = {
        **(devices_processes(host, port) if devices else {}),
        "web": web_arguments(host, port, workers),
        "worker": [sys.executable, "-m", "yuanmai", "worker"],
    }
    click.echo(f"Yuanmai · http://{host}:{port}  ({settings.HOME})")
    from yuanmai.people.setup import console_lines

    for line in console_lines(f"http://{host}:{port}"):
        click.echo(line)
    supervise(commands)


def devices_processes(host: str, port: int) -> dict[str, list[str]]:
    """Return the processes that devices need. The processes learn of ports by the environment.

    A port that something else holds switches that listener off, with a word on how to have it back: a park that comes to look at
    the program has a broker of its own more often than not.
    """
    live_port = int(os.environ.setdefault("YUANMAI_LIVE_PORT", str(port + 1)))
    commands = {
        "gateway": [sys.executable, "-m", "yuanmai", "gateway", "--host", settings.GATEWAY_HOST],
        "ingest": [sys.executable, "-m", "yuanmai", "ingest"],
        "live": live_arguments(host, live_port),
    }
    for protocol, wanted in settings.GATEWAY_PORTS.items():
        variable = f"YUANMAI_PORT_{protocol.upper()}"
        try:
            if wanted:
                check_port(settings.GATEWAY_HOST, wanted)
        except Refused as refusal:
            click.echo(f"{refusal} ({variable})", err=True)
            os.environ[variable] = "0"
    try:
        check_port(host, live_port)
    except Refused as refusal:
        click.echo(f"{refusal} (YUANMAI_LIVE_PORT)", err=True)
        os.environ["YUANMAI_LIVE_PORT"] = "0"
        del commands["live"]
    if settings.DEMO:
        commands["simulate"] = [sys.executable, "-m", "yuanmai", "simulate", "park"]
    return commands


def supervise(commands: dict[str, list[str]]) -> None:
    """Keep the processes running until told to stop; one that dies is started again, ever more slowly."""
    running: dict[str, subprocess.Popen[bytes]] = {}
    delay = dict.fromkeys(commands, 0.5)
    started = dict.fromkeys(commands, 0.0)
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        while not stopping:
            for name, arguments in commands.items():
                process = running.get(name)
                if process is not None and process.poll() is None:
                    if time.monotonic() - started[name] > 30:
                        delay[name] = 0.5
                    continue
                if process is not None:
                    click.echo(f"{name} ended with {process.returncode}; starting again", err=True)
                    time.sleep(delay[name])
                    delay[name] = min(delay[name] * 2, 30)
                running[name] = subprocess.Popen(arguments)  # noqa: S603
                started[name] = time.monotonic()
            time.sleep(0.3)
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            try:
                # The worker finishes the job at hand; one that takes longer is taken over by the next worker.
                process.wait(timeout=STOP_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
