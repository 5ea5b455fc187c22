"""A full disk, for real: the journal of a running gateway stands on a small file system of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.installation import ROOT, Installations

SPACE = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]


def mountable() -> bool:
    """Whether this machine lets us have a file system of our own."""
    try:
        return (
            subprocess.run(
                [*SPACE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
            ).returncode
            == 0
        )
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not mountable(), reason="needs user namespaces, or root, to mount a small file system")
def test_full_disk_refuses_and_heals(installations: Installations, tmp_path: Path) -> None:
    """What does not fit is not acknowledged; with room again everything goes on without a restart; nothing acknowledged is lost."""
    made = installations.migrated()
    mount = tmp_path / "small"
    mount.mkdir()
    script = Path(__file__).with_name("full_disk.py")
    done = subprocess.run(
        [
            *SPACE, "sh", "-c", 'mount -t tmpfs -o size=26m none "$1" && shift && exec "$@"', "sh", str(mount),
            sys.executable, str(script), str(made.home), str(mount), made.database_url,
        ],
        capture_output=True, text=True, timeout=400, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert done.stdout.count("lost=0") == 3
