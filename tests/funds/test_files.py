"""The files of the funds room: kept by digest, told by content, handed out to who may see them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.urls import reverse

from yuanmai.core.actions import Act, action
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.funds.files import attach, attachments, clean_name, media_type, path_of, target_of
from yuanmai.funds.models import Attachment, Quota
from yuanmai.funds.permissions import EDIT_FUNDS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"


def packed(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


@action("test.attach_file", permission=EDIT_FUNDS)
def keep(act: Act, obj: models.Model, name: str, data: bytes) -> Attachment:
    return attach(act, obj, "offering", SimpleUploadedFile(name, data))


@pytest.fixture
def quota(orgs: Any) -> Quota:
    from django.utils import timezone

    with everywhere():
        return Quota.objects.create(
            org=orgs.north, year=2022, amount=1, effective_on="2022-01-01", recorded_at=timezone.now()
        )


@pytest.fixture(autouse=True)
def _home(settings: Any, tmp_path: Path) -> None:
    settings.HOME, settings.MEDIA_ROOT = tmp_path, tmp_path / "files"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PDF, "application/pdf"),
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0....", "image/jpeg"),
        (packed("word/document.xml"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (packed("xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (packed("OFD.xml", "Doc_0/Document.xml"), "application/ofd"),
        (packed("run.exe"), None),
        (b"PK\x03\x04 broken", None),
        (b"<html><script>", None),
        (b"MZ\x90\x00", None),
    ],
)  # fmt: skip
def test_files_are_told_by_their_content(data: bytes, kind: str | None) -> None:
    assert media_type(io.BytesIO(data)) == kind


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("..\\..\\计划.PDF", "计划.PDF"),
        ("/etc/passwd", "passwd.pdf"),
        ("page.html", "page.html.pdf"),
        ("\u202efdp.exe", "fdp.exe.pdf"),
        ("", "file.pdf"),
        ("长" * 300 + ".pdf", "长" * 196 + ".pdf"),
    ],
)
def test_names_cannot_lead_elsewhere(name: str, cleaned: str) -> None:
    assert clean_name(name, "application/pdf") == cleaned


def test_a_file_is_kept_once_and_listed(quota: Quota, tmp_path: Path) -> None:
    with everywhere():
        row = keep(SYSTEM, quota, "一案.pdf", PDF)
        assert path_of(row.digest).read_bytes() == PDF and row.size == len(PDF)
        assert row.org_id == quota.org_id
        with pytest.raises(ValidationError, match="already"):
            keep(SYSTEM, quota, "copy.pdf", PDF)
        assert [r.name for r in attachments([quota])[target_of(quota)]] == ["一案.pdf"]
    assert not list((tmp_path / "incoming").iterdir())
    assert len([p for p in (tmp_path / "files").rglob("*") if p.is_file()]) == 1


@pytest.mark.parametrize(
    ("data", "words"), [(b"", "empty"), (b"<html>", "kinds"), (PDF + b"0" * 2000, "larger")]
)
def test_what_may_not_be_kept_leaves_nothing(
    quota: Quota, settings: Any, tmp_path: Path, data: bytes, words: str
) -> None:
    settings.ATTACHMENT_MAX_BYTES = 1024
    with everywhere(), pytest.raises(ValidationError) as caught:
        keep(SYSTEM, quota, "a.pdf", data)
    assert words in caught.value.message_dict["file"][0]
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
    with everywhere():
        assert not Attachment.objects.exists()


def test_files_go_out_as_downloads_to_those_in_scope(
    quota: Quota, orgs: Any, make_user: Any, client_as: Any
) -> None:
    with everywhere():
        row = keep(SYSTEM, quota, "一案.pdf", PDF)
    url = reverse("funds:file", args=[row.pk])
    answer = client_as(make_user("finance_officer", orgs.city)).get(url)
    assert b"".join(answer.streaming_content) == PDF
    assert answer["Content-Disposition"].startswith("attachment") and answer["Content-Type"] == row.media_type
    assert client_as(make_user("finance_officer", orgs.foreign)).get(url).status_code == 404
    assert client_as(make_user("grid_officer", orgs.city)).get(url).status_code == 403
    path_of(row.digest).unlink()
    assert client_as(make_user("finance_officer", orgs.city)).get(url).status_code == 404
