"""Every decoder under a coverage-guided fuzzer for a few seconds; `make fuzz` does it for longer."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SECONDS = 3
FUZZ = Path(__file__).parents[1] / "protocols" / "fuzz.py"
# Read, not imported: without atheris the script ends as soon as it is loaded.
PROTOCOLS = ast.literal_eval(re.search(r"^PROTOCOLS = (\(.*\))$", FUZZ.read_text("utf-8"), re.M)[1])  # type: ignore[index]


@pytest.mark.slow
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is for Linux on x86-64 only")
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_bytes_break_a_decoder(protocol: str, tmp_path: Path) -> None:
    done = subprocess.run(
        # A single input may take 10 s here, not 1: the machine that runs the tests is busy with others.
        [sys.executable, str(FUZZ), protocol, f"-max_total_time={SECONDS}", "-max_len=4096", "-timeout=10", f"-artifact_prefix={tmp_path}/"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    runs = [line for line in done.stderr.splitlines() if line.startswith("Done ")]
    assert runs and int(runs[0].split()[1]) > 100, done.stderr[-500:]
