"""PDF files read back with poppler: text, page size, fonts, time, and texts that look like markup."""

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from yuanmai.core.documents import Note, Paragraph, pdf, to_pdf

from .sample import sample

pytestmark = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")

HOSTILE = '#panic("x") #import "a" *粗体* _斜体_ `代码` $x^2$ <标签> @引用 \\ // 注释 /* 注 */ [方] {花} = 标题 - 列 + 列 ~ -- ---'


def _tool(tmp_path: Path, content: bytes, *command: str) -> str:
    path = tmp_path / "document.pdf"
    path.write_bytes(content)
    return subprocess.run(
        [command[0], *command[1:], str(path), *(["-"] if command[0] == "pdftotext" else [])],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.fixture(scope="module")
def content() -> bytes:
    return to_pdf(sample())


def test_pages_are_a4_and_the_wide_attachment_is_turned(content: bytes, tmp_path: Path) -> None:
    info = _tool(tmp_path, content, "pdfinfo", "-f", "1", "-l", "99")
    sizes = re.findall(r"size:\s+([\d.]+) x ([\d.]+)", info)
    shapes = [(round(float(w)), round(float(h))) for w, h in sizes]
    assert shapes[0] == (595, 842)
    assert (842, 595) in shapes
    assert shapes[-1] == (595, 842)
    assert "关于2022年3月重点项目建设情况的通报" in info


def test_every_text_is_in_the_file(content: bytes, tmp_path: Path) -> None:
    text = re.sub(r"\s", "", _tool(tmp_path, content, "pdftotext", "-layout"))
    for wanted in (
        "坦洲镇重点项目建设领导小组办公室文件",
        "坦重点办〔2022〕3号",
        "各村（社区）",
        "一、总体情况",
        "（一）投资完成情况",
        "合计1211.612.9025.0%",
        "2022年4月2日印发",
        "示例项目40",
        "—1—",
    ):
        assert wanted in text, wanted
    # The head of a long table is repeated on every page.
    assert text.count("项目名称") >= 3


def test_text_that_looks_like_markup_stays_text(tmp_path: Path) -> None:
    body = (Paragraph(HOSTILE), Note(HOSTILE))
    text = _tool(
        tmp_path, to_pdf(sample(title=f"标题{HOSTILE[:12]}", body=body, attachments=())), "pdftotext", "-raw"
    )
    flat = re.sub(r"\s", "", text)
    assert flat.count(re.sub(r"\s", "", HOSTILE)) == 2


def test_fonts_are_embedded_and_no_character_is_missing(content: bytes, tmp_path: Path) -> None:
    fonts = _tool(tmp_path, content, "pdffonts").splitlines()[2:]
    assert fonts
    assert all(re.search(r"\syes\s+(yes|no)\s+(yes|no)\s", line) for line in fonts), fonts
    text = _tool(tmp_path, content, "pdftotext", "-raw")
    assert "𠮷 㐂 堃" in text


def test_the_text_stands_in_the_type_area(content: bytes, tmp_path: Path) -> None:
    page = _tool(tmp_path, content, "pdftotext", "-bbox", "-f", "1", "-l", "1")
    boxes = [
        tuple(map(float, found))
        for found in re.findall(r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)"', page)
    ]
    points = 72 / 25.4
    assert min(left for left, _, _ in boxes) == pytest.approx(28 * points, abs=2)
    # The blank half of a full-width stop at a line end may hang over the edge.
    assert max(right for _, _, right in boxes) <= (210 - 26) * points + 9
    # The mark begins 35 mm below the type area's upper edge.
    assert min(top for _, top, _ in boxes) == pytest.approx((37 + 35) * points, abs=10)


def test_equal_documents_are_equal_bytes(content: bytes) -> None:
    assert to_pdf(sample()) == content


def test_a_document_takes_less_than_a_second(content: bytes) -> None:
    # The best of three: the machine may be busy with something else, the typesetter may not be slow.
    times = []
    for _ in range(3):
        started = time.perf_counter()
        to_pdf(sample(title=f"计时{time.time_ns()}"))
        times.append(time.perf_counter() - started)
    assert min(times) < 1.0


def test_absent_fonts_are_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pdf, "_ASSETS", tmp_path)
    pdf._fonts.cache_clear()
    try:
        with pytest.raises(pdf.FontsMissing, match="make setup"):
            to_pdf(sample())
    finally:
        pdf._fonts.cache_clear()


def test_english_documents(tmp_path: Path) -> None:
    text = _tool(
        tmp_path, to_pdf(sample(language="en", title="Bulletin", addressee="All units")), "pdftotext", "-raw"
    )
    assert "All units:" in text
    assert "2 April 2022" in text
    assert re.search(r"^I\. ", text, re.MULTILINE)
