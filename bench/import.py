"""A ledger of 20,000 projects × 20 columns from .xlsx to committed rows, beside `pandas.read_excel` on the same file.

    python bench/import.py [--rows 20000]

Prints one JSON line per measurement: what, rows, columns, seconds (wall), cpu_seconds, peak_rss_mb. Each measurement runs in
a process of its own, on an SQLite database in a directory of its own that is removed afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEAD = [
    "序号", "项目编码", "项目名称", "建设性质", "项目类别", "项目业主", "建设起止年限", "总投资额", "财政资金", "专项债券", "银行贷款", "企业自筹",
    "年度投资计划", "年初至本月累计完成", "完成年度计划", "是否开工", "形象进度", "存在问题", "挂钩领导", "责任单位",
]  # fmt: skip


def write_ledger(path: Path, rows: int) -> None:
    """A ledger with a title, its head, and totals below; the same file for the same number of rows."""
    import xlsxwriter

    chance = random.Random(20220331)
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("2022年重点项目")
    sheet.write(0, 0, "2022年重点项目进展情况表(截至2022年3月31日) 单位:万元")
    sheet.write_row(1, 0, HEAD)
    sums = [0, 0, 0]
    for number in range(1, rows + 1):
        total = chance.randrange(1_000, 900_000, 10)
        plan = total * 3 // 10
        done = chance.randrange(0, plan + 1)
        sums = [sums[0] + total, sums[1] + plan, sums[2] + done]
        sheet.write_row(
            number + 1, 0,
            [
                number, f"P-{number:06d}", f"第{number}号产业园区基础设施提升工程", chance.choice(["新开工", "续建"]),
                chance.choice(["工业投资", "交通设施", "工改工"]), f"示例建设单位{number % 997:03d}", "2022.02-2024.12", total, total // 10, total // 5,
                total // 2, total - total // 10 - total // 5 - total // 2, plan, done, f"{done / plan * 100:.1f}%" if plan else "", "是",
                "主体施工", "" if number % 7 else "用地手续未完成", f"示例领导{number % 50}", f"示例责任单位{number % 80}",
            ],
        )  # fmt: skip
    sheet.write_row(rows + 2, 0, ["合计", "", "", "", "", "", "", sums[0], "", "", "", "", sums[1], sums[2]])
    book.close()


def _report(what: str, rows: int, wall: float, cpu: float, **more: object) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    line = {
        "what": what,
        "rows": rows,
        "columns": len(HEAD),
        "seconds": round(wall, 2),
        "cpu_seconds": round(cpu, 2),
        "peak_rss_mb": peak,
    }
    print(json.dumps({**line, **more}, ensure_ascii=False), flush=True)


def measure_import(path: Path, rows: int) -> None:
    """From the file's bytes to rows committed in the database, then the same file again, then undo."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "yuanmai.config.settings"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from django.utils import timezone

    from yuanmai.core.policy import SYSTEM
    from yuanmai.core.scope import everywhere
    from yuanmai.core.workbooks.importing import import_data, undo_batch
    from yuanmai.core.workbooks.running import Options
    from yuanmai.people.actions import add_organisation

    with everywhere():
        org = add_organisation(SYSTEM, code="bench", name="Bench", kind="city", parent_code=None)

        def once(what: str, created: int, unchanged: int) -> int:
            wall, cpu = time.perf_counter(), time.process_time()
            result = import_data(
                SYSTEM,
                "key_project_ledger",
                org.pk,
                path.read_bytes(),
                path.name,
                Options(),
                timezone.localdate(),
            )
            assert isinstance(result, dict), [f.rule for f in result.errors[:5]]
            assert (result["created"], result["unchanged"]) == (created, unchanged), result
            _report(
                what,
                rows,
                time.perf_counter() - wall,
                time.process_time() - cpu,
                findings=len(result["findings"]),
            )
            return int(result["batch"])

        batch = once("import", rows, 0)
        once("import again", 0, rows)
        wall, cpu = time.perf_counter(), time.process_time()
        undo_batch(SYSTEM, batch)
        _report("undo", rows, time.perf_counter() - wall, time.process_time() - cpu)


def measure_read(path: Path, rows: int) -> None:
    """The pure engine: read, map, normalise, check."""
    from yuanmai.core.workbooks.engine.book import read_book
    from yuanmai.core.workbooks.engine.pipeline import parse
    from yuanmai.core.workbooks.engine.spec import load_spec

    preset = Path(__file__).resolve().parents[1] / "src/yuanmai/projects/presets/key_project_ledger.yaml"
    spec = load_spec(preset.read_text(encoding="utf-8"))
    wall, cpu = time.perf_counter(), time.process_time()
    parsed = parse(read_book(path.read_bytes(), path.name), spec)
    assert len(parsed.rows) == rows and not parsed.errors
    _report("read and check", rows, time.perf_counter() - wall, time.process_time() - cpu)


def measure_pandas(path: Path, rows: int) -> None:
    """The yardstick: pandas reads the cells and does nothing with them."""
    import pandas

    wall, cpu = time.perf_counter(), time.process_time()
    frame = pandas.read_excel(path, header=1, engine="openpyxl")
    assert len(frame) == rows + 1
    _report("pandas.read_excel", rows, time.perf_counter() - wall, time.process_time() - cpu)


MEASURES = {"import": measure_import, "read": measure_read, "pandas": measure_pandas}


def main() -> None:
    """Make the file, then measure each in its own process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--only", choices=sorted(MEASURES))
    parser.add_argument("--file", type=Path)
    options = parser.parse_args()
    if options.only:
        MEASURES[options.only](options.file, options.rows)
        return
    with tempfile.TemporaryDirectory(prefix="yuanmai-bench-") as folder:
        file = Path(folder) / "ledger.xlsx"
        write_ledger(file, options.rows)
        for name in ("pandas", "read", "import"):
            environment = {**os.environ, "YUANMAI_HOME": str(Path(folder) / "home"), "DATABASE_URL": ""}
            command = [
                sys.executable,
                __file__,
                "--only",
                name,
                "--file",
                str(file),
                "--rows",
                str(options.rows),
            ]
            subprocess.run(command, check=True, env=environment)


if __name__ == "__main__":
    main()
