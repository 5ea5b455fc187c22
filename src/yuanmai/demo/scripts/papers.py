"""Sample files of the demonstration: a page that says what it is, and a photograph of nothing; kept with many rows."""

import struct
import zlib
from collections.abc import Iterable
from datetime import datetime
from io import BytesIO

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model

from yuanmai.funds.files import org_of, save, target_of
from yuanmai.funds.models import Attachment

SIZE = (320, 200)


def page() -> bytes:
    """Return a PDF of one page with one line of text."""
    text = b"BT /F1 18 Tf 60 760 Td (Yuanmai demonstration: sample document) Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, offsets = BytesIO(), []
    out.write(b"%PDF-1.4\n")
    for number, body in enumerate(objects, start=1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.writelines(b"%010d 00000 n \n" % offset for offset in offsets)
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
    return out.getvalue()


def photograph() -> bytes:
    """Return a PNG: sky over ground."""
    width, height = SIZE
    rows = [
        b"\x00"
        + (bytes((150 + y // 4, 190, 225)) if y < height * 0.6 else bytes((120, 100 + y // 8, 80))) * width
        for y in range(height)
    ]

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"".join(rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def keep(rows: Iterable[tuple[Model, str, str, datetime]], *, photo: bool = False) -> None:
    """Keep the sample page (or the photograph) with rows, each given as (row, kind, file name, moment)."""
    upload = SimpleUploadedFile("sample", photograph() if photo else page())
    digest, size, media = save(upload)
    Attachment.objects.bulk_create(
        [
            Attachment(
                org_id=org_of(row), target=target_of(row), kind=kind, name=name, media_type=media, size=size,
                digest=digest, recorded_at=at,
            )
            for row, kind, name, at in rows
        ]
    )  # fmt: skip
