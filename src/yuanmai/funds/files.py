"""Files kept with rows: saved once under their digest, told by their content, read only through a page that asks.

The bytes lie under ``YUANMAI_HOME/files/funds/`` (so backups hold them). A subject says with :func:`file_target` which of its
models take files and who may add them; :func:`attach` is called inside the subject's action.
"""

import hashlib
import os
import re
import uuid
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import models
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.policy import Denied
from yuanmai.funds.models import Attachment
from yuanmai.funds.permissions import SEE_FUNDS

OOXML = "application/vnd.openxmlformats-officedocument."
# What may be kept: media type → endings that are usual for it, the first one used where a name has none.
MEDIA_TYPES: Mapping[str, tuple[str, ...]] = {
    "application/pdf": ("pdf",),
    "application/ofd": ("ofd",),
    f"{OOXML}wordprocessingml.document": ("docx",),
    f"{OOXML}spreadsheetml.sheet": ("xlsx",),
    "application/x-ole-storage": ("doc", "xls", "wps", "et"),
    "image/jpeg": ("jpg", "jpeg"),
    "image/png": ("png",),
    "image/webp": ("webp",),
    "image/heic": ("heic", "heif"),
    "image/tiff": ("tif", "tiff"),
}
ENDINGS = tuple(dict.fromkeys(ending for endings in MEDIA_TYPES.values() for ending in endings))
ACCEPT = ",".join(f".{ending}" for ending in ENDINGS)
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
_PARTS = (
    ("word/document.xml", f"{OOXML}wordprocessingml.document"),
    ("xl/workbook.xml", f"{OOXML}spreadsheetml.sheet"),
    ("OFD.xml", "application/ofd"),
)
NAME_MAX = 200


@dataclass(frozen=True, slots=True)
class Target:
    """A model that takes files: who may add and take back, and the path from it to its organisation."""

    model: type[models.Model]
    permission: str
    changed: Callable[[Act, int], None] | None = None  # called with the row's key after a file came or went


_TARGETS: dict[str, Target] = {}


def file_target(
    model: type[models.Model], permission: str, changed: Callable[[Act, int], None] | None = None
) -> str:
    """Declare that rows of a model take files, added and taken back by holders of `permission`; returns the target's name.

    `changed` is called inside the action with the row's key after a file was added or taken back on its own.
    """
    name = target_name(model)
    if name in _TARGETS:
        raise ValueError(f"files of {name} are declared twice")
    _TARGETS[name] = Target(model, permission, changed)
    return name


def target_name(model: type[models.Model]) -> str:
    """Return how targets of a model are written: ``reserve_item``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", model.__name__).lower()


def target_of(obj: models.Model) -> str:
    """Return the target that stands for a row: ``reserve_item:12``."""
    return f"{target_name(type(obj))}:{obj.pk}"


def org_of(obj: Any) -> int:
    """Return the organisation that a row belongs to, along the path of its manager."""
    path: str = getattr(type(obj)._default_manager, "path", "org_id")
    for name in path.split("__"):
        obj = getattr(obj, name)
    return int(obj)


def path_of(digest: str) -> Path:
    """Return where the bytes of a digest lie; raises `ValueError` for what is no digest."""
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ValueError("not a digest")
    return Path(settings.MEDIA_ROOT) / "funds" / digest[:2] / digest


def media_type(file: IO[bytes]) -> str | None:
    """Return what a file is by its content, None where it is nothing that may be kept. Leaves the position at the start."""
    file.seek(0)
    head = file.read(1024)
    file.seek(0)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and head[8:12] in {b"heic", b"heix", b"mif1", b"heif"}:
        return "image/heic"
    if not head.startswith(b"PK\x03\x04"):
        return None
    try:
        with zipfile.ZipFile(file) as archive:
            inside = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError):
        return None
    finally:
        file.seek(0)
    return next((kind for part, kind in _PARTS if part in inside), None)


def max_bytes() -> int:
    """Return the greatest size of a file that is kept."""
    return int(settings.ATTACHMENT_MAX_BYTES)


def save(upload: UploadedFile[Any]) -> tuple[str, int, str]:
    """Write an upload in pieces and return (digest, size, media type); the same content is kept once.

    Raises `ValidationError` for an empty file, one that is too large, and one whose content may not be kept.
    """
    limit = max_bytes()
    folder = Path(settings.HOME) / "incoming"
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    part = folder / f"{uuid.uuid4().hex}.part"
    digest, size = hashlib.sha256(), 0
    try:
        with part.open("w+b") as file:
            for piece in upload.chunks():
                size += len(piece)
                if size > limit:
                    raise ValidationError(
                        _("“%(name)s” is larger than %(n)d MB. Make it smaller or divide it.")
                        % {"name": upload.name, "n": limit // 1024**2}
                    )
                digest.update(piece)
                file.write(piece)
            if not size:
                raise ValidationError(
                    _("“%(name)s” is empty. Choose the file again.") % {"name": upload.name}
                )
            kind = media_type(file)
            if kind is None:
                raise ValidationError(
                    _(
                        "“%(name)s” is none of the kinds that are kept (%(kinds)s). Save it as PDF and try again."
                    )
                    % {"name": upload.name, "kinds": ", ".join(ENDINGS)}
                )
            file.flush()
            os.fsync(file.fileno())
        target = path_of(digest.hexdigest())
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            part.chmod(0o640)
            part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return digest.hexdigest(), size, kind


def clean_name(name: str, kind: str) -> str:
    """Return a file's own name without path and control characters, with an ending that fits its content."""
    base = re.sub(
        r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", "", name.replace("\\", "/").rsplit("/", 1)[-1]
    ).strip(" .")
    stem, dot, ending = base.rpartition(".")
    endings = MEDIA_TYPES[kind]
    if not dot or ending.lower() not in endings:
        stem, ending = base, endings[0]
    return f"{stem[: NAME_MAX - len(ending) - 1] or 'file'}.{ending}"


def attach(
    act: Act, obj: models.Model, kind: str, upload: UploadedFile[Any], *, org_id: int | None = None
) -> Attachment:
    """Keep a file with a row, inside an action. `kind` says what it is: use_plan, contract, certificate, invoice, photo, offering …

    Raises `ValidationError` (field ``file``) where it cannot be kept. The same content twice at one row is refused.
    """
    org_id = org_of(obj) if org_id is None else org_id
    try:
        digest, size, media = save(upload)
    except ValidationError as error:
        raise ValidationError({"file": error.messages}) from None
    target = target_of(obj)
    if Attachment.objects.filter(target=target, kind=kind, digest=digest, retracted_at=None).exists():
        raise ValidationError({"file": [_("“%(name)s” is here already.") % {"name": upload.name}]})
    row = Attachment.objects.create(
        org_id=org_id,
        target=target,
        kind=kind,
        name=clean_name(upload.name or "", media),
        media_type=media,
        size=size,
        digest=digest,
        recorded_at=act.now,
        recorded_by_id=act.actor.user_id,
    )
    after = {"file": row.name, "kind": kind, "size": size, "sha256": digest}
    act.log(obj, org_id=org_id, after=after, name=row.name)
    return row


def attachments(objects: Iterable[models.Model]) -> dict[str, list[Attachment]]:
    """Return the files of these rows by target (:func:`target_of`), the newest last (one query)."""
    targets = [target_of(obj) for obj in objects]
    found: dict[str, list[Attachment]] = defaultdict(list)
    rows = Attachment.objects.filter(target__in=targets, retracted_at=None).select_related("recorded_by")
    for row in rows.order_by("recorded_at", "id"):
        found[row.target].append(row)
    return found


def permission_for(attachment: Attachment) -> str | None:
    """Return who may take a file back; None for a target that nobody declared."""
    target = _TARGETS.get(attachment.target.partition(":")[0])
    return target.permission if target else None


@action("funds.attach_file", permission=SEE_FUNDS)
def attach_file(act: Act, obj: models.Model, kind: str, upload: UploadedFile[Any]) -> Attachment:
    """Keep a file with a row of a declared target, by whoever may add files there."""
    target = _TARGETS[target_name(type(obj))]
    act.require(org_of(obj), target.permission)
    row = attach(act, obj, kind, upload)
    if target.changed is not None:
        target.changed(act, obj.pk)
    return row


@action("funds.take_back_file", permission=SEE_FUNDS)
def take_back_file(act: Act, attachment: Attachment) -> None:
    """Take a file back; the bytes stay, since the audit log names their digest, and no page shows them any more."""
    permission = permission_for(attachment)
    if permission is None:
        raise Denied(_("This file cannot be taken back."))
    act.require(attachment.org_id, permission)
    if not Attachment.objects.filter(pk=attachment.pk, retracted_at=None).update(retracted_at=act.now):
        raise ValidationError(_("This file has already been taken back."))
    before = {
        "file": attachment.name,
        "kind": attachment.kind,
        "sha256": attachment.digest,
        "target": attachment.target,
    }
    act.log(attachment, before=before, name=attachment.name)
    name, _colon, pk = attachment.target.partition(":")
    if (changed := _TARGETS[name].changed) is not None:
        changed(act, int(pk))
