"""Labels set by Typst: sheets of A4 with 3 × 8 labels of 70 × 37 mm, or one label of 70 × 37 mm on a page of its own."""

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import segno

from yuanmai.core.documents.pdf import typeset

SOURCE = Path(__file__).with_name("labels.typ")
LAYOUTS = ("sheet", "single")


@dataclass(frozen=True, slots=True)
class Label:
    """What stands on a label; `url` is what the QR code says."""

    code: str
    name: str
    place: str
    url: str


def qr_svg(text: str) -> bytes:
    """Return a QR code of medium redundancy without margin as SVG."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=0, xmldecl=False)
    return out.getvalue()


def labels_pdf(labels: Sequence[Label], layout: str, *, skip: int = 0) -> bytes:
    """Return labels as PDF. `skip` places of the first sheet stay free. Raises ValueError for an unknown layout."""
    if layout not in LAYOUTS:
        raise ValueError(layout)
    files = {f"qr-{number}.svg": qr_svg(label.url) for number, label in enumerate(labels)}
    data = {
        "layout": layout,
        "skip": skip,
        "labels": [{**asdict(label), "qr": f"qr-{number}.svg"} for number, label in enumerate(labels)],
    }
    return typeset(SOURCE.read_bytes(), data, files)
