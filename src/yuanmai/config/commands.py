"""The processes and the care of an installation."""

import os
import signal
import socket
import subprocess
import sys
import time

import click
from django.conf import settings
from django.core.management import call_command

from yuanmai.core.console import Refused, command


def prepare() -> None:
    """Migrate the database and make sure that the preset roles are there."""
    from yuanmai.people.presets_loader import ensure_roles

    call_command("migrate", interactive=False, verbosity=0)
    ensure_roles()


@click.command()
@command
def migrate(as_json: bool) -> None:
    """Bring the database up to date."""
    prepare()


def web_arguments(host: str, port: int, workers: int) -> list[str]:
    """Return the command line of the web server."""
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", str(workers), "--blocking-threads", "4", "--backlog", "512", "--no-ws", "--respawn-failed-workers",
        "--log-level", "warning", "yuanmai.config.wsgi:application",
    ]  # fmt: skip


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=max(1, os.cpu_count() or 1), show_default=True)
def web(host: str, port: int, workers: int) -> None:
    """Start the web process."""
    os.execv(sys.executable, web_arguments(host, port, workers))  # noqa: S606


@click.command()
@click.option("--batch", is_flag=True, help="Stop when the queue is empty.")
def worker(batch: bool) -> None:
    """Start the process that does background work and keeps the schedule."""
    from yuanmai.core.jobs.worker import work

    work(batch=batch)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=max(1, os.cpu_count() or 1), show_default=True)
@command
def serve(host: str, port: int, workers: int, as_json: bool) -> None:
    """Start everything on this machine under one parent: the web process and a worker."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Refused(f"{host}:{port}: {error.strerror}. --port N") from None
    prepare()
    commands = {
        "web": web_arguments(host, port, workers),
        "worker": [sys.executable, "-m", "yuanmai", "worker"],
    }
    click.echo(f"Yuanmai · http://{host}:{port}  ({settings.HOME})")
    from yuanmai.people.setup import console_lines

    for line in console_lines(f"http://{host}:{port}"):
        click.echo(line)
    supervise(commands)


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
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
