"""Speaking to chat tools and other programs over HTTP, without being led to places inside.

An address is resolved here, every answer of the resolver is looked at, and the connection goes to the number that was looked at: a name that
points elsewhere a moment later leads nowhere. Redirects are not followed. Hosts of one's own network are allowed one by one
(`YUANMAI_WEBHOOK_HOSTS`, names or networks such as 10.20.0.0/16, separated by blanks).
"""

import base64
import hashlib
import hmac
import http.client
import ipaddress
import json
import os
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from django.utils.translation import gettext as _

from yuanmai.devices.models import ChannelKind

TIMEOUT = 10.0  # seconds, for everything together
ANSWER = 64 * 1024  # bytes that are read of an answer
Address = tuple[str, str, int, str]  # scheme, host, port, path with query


class Undelivered(Exception):  # noqa: N818  (named for what happened)
    """A message was not taken. `hopeless` when trying again cannot help."""

    def __init__(self, reason: str, *, hopeless: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.hopeless = reason, hopeless


@dataclass(frozen=True)
class Request:
    """What is posted where."""

    url: str
    body: bytes
    headers: dict[str, str]


def parse(url: str) -> Address:
    """Return the parts of an address; raises `Undelivered` (hopeless) for one that cannot be used."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Undelivered(_("This is not an address."), hopeless=True) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Undelivered(_("An address begins with https:// (or http://)."), hopeless=True)
    if parts.username or parts.password:
        raise Undelivered(_("An address must not contain a user name or password."), hopeless=True)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80), path


def allowed(host: str, number: str) -> bool:
    """Whether a host at this number may be spoken to: public ones, and those of one's own that are named."""
    address = ipaddress.ip_address(number.split("%", 1)[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    for entry in os.environ.get("YUANMAI_WEBHOOK_HOSTS", "").split():
        if entry.lower() == host.lower():
            return True
        try:
            if address in ipaddress.ip_network(entry, strict=False):
                return True
        except (ValueError, TypeError):
            continue
    return address.is_global and not address.is_multicast


def resolve(host: str, port: int) -> str:
    """Return the number to connect to; raises `Undelivered`."""
    try:
        found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        raise Undelivered(_("The host %(host)s is not known.") % {"host": host}) from None
    if not found or not all(allowed(host, number) for number in found):
        raise Undelivered(
            _(
                "%(host)s lies in a private network. The administrator can allow it with YUANMAI_WEBHOOK_HOSTS."
            )
            % {"host": host},
            hopeless=True,
        )
    return found[0]


class _Pinned(http.client.HTTPConnection):
    """A connection to the number that was looked at; the certificate is checked against the name."""

    def __init__(self, host: str, port: int, number: str, secure: bool) -> None:
        super().__init__(host, port, timeout=TIMEOUT)
        self._number, self._secure = number, secure

    def connect(self) -> None:
        """Open the connection."""
        plain = socket.create_connection((self._number, self.port), TIMEOUT)
        if not self._secure:
            self.sock = plain
            return
        try:
            self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


def post(request: Request) -> tuple[int, bytes]:
    """Post and return (status, beginning of the answer); raises `Undelivered` where nobody answered in time."""
    scheme, host, port, path = parse(request.url)
    connection = _Pinned(host, port, resolve(host, port), scheme == "https")
    deadline = time.monotonic() + TIMEOUT
    try:
        connection.request("POST", path, request.body, {"User-Agent": "Yuanmai", **request.headers})
        answer = connection.getresponse()
        body = b""
        while len(body) < ANSWER and (piece := answer.read1(4096)):
            body += piece
            if time.monotonic() > deadline:  # who answers a byte at a time does not hold a worker
                raise TimeoutError
        return answer.status, body
    except TimeoutError:
        raise Undelivered(_("No answer within %(n)s seconds.") % {"n": round(TIMEOUT)}) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Undelivered(_("The connection failed: %(error)s") % {"error": str(error)[:160]}) from error
    finally:
        connection.close()


def build(
    kind: str, url: str, secret: str, uid: str, subject: str, body: dict[str, Any], link: str, now: int
) -> Request:
    """Return the request that tells a message in the language of a chat tool; `now` in seconds signs it.

    Formats: WeCom and DingTalk group robots (markdown), Feishu custom robot (text), with the signatures that each wants; the generic
    webhook carries HMAC-SHA256 of "time.body" in `X-Yuanmai-Signature`.
    """
    text = str(body.get("text", subject))
    headers = {"Content-Type": "application/json; charset=utf-8", "X-Yuanmai-Delivery": uid}
    lines = [f"**{subject}**", *text.splitlines()[1:], *([f"[{_('Open')}]({link})"] if link else [])]
    document: dict[str, Any]
    if kind == ChannelKind.WECOM:
        document = {"msgtype": "markdown", "markdown": {"content": "\n".join(lines)[:4000]}}
    elif kind == ChannelKind.DINGTALK:
        document = {"msgtype": "markdown", "markdown": {"title": subject, "text": "\n\n".join(lines)[:18000]}}
        if secret:
            sign = _base64_hmac(secret.encode(), f"{now * 1000}\n{secret}".encode())
            joint = "&" if urlsplit(url).query else "?"
            url += f"{joint}{urlencode({'timestamp': now * 1000, 'sign': sign}, quote_via=quote_plus)}"
    elif kind == ChannelKind.FEISHU:
        plain = "\n".join([subject, *text.splitlines()[1:], *([link] if link else [])])
        document = {"msg_type": "text", "content": {"text": plain[:18000]}}
        if secret:
            sign = _base64_hmac(f"{now}\n{secret}".encode(), b"")
            document = {"timestamp": str(now), "sign": sign, **document}
    else:
        document = {"id": uid, "sent_at": now, "link": link, **body}
    raw = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    if kind == ChannelKind.WEBHOOK:
        headers["X-Yuanmai-Timestamp"] = str(now)
        headers["Idempotency-Key"] = uid
        if secret:
            mac = hmac.new(secret.encode(), f"{now}.".encode() + raw, hashlib.sha256).hexdigest()
            headers["X-Yuanmai-Signature"] = f"sha256={mac}"
    return Request(url, raw, headers)


def _base64_hmac(key: bytes, message: bytes) -> str:
    return base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


def check(kind: str, status: int, answer: bytes) -> None:
    """Raise `Undelivered` unless the receiver took the message. Chat tools refuse with status 200 and a code in the body."""
    shown = answer[:160].decode("utf-8", "replace")
    if not 200 <= status < 300:
        hopeless = status in {400, 401, 403, 404, 405, 410, 413, 415, 422}
        raise Undelivered(
            _("The receiver answered %(status)s: %(answer)s") % {"status": status, "answer": shown},
            hopeless=hopeless,
        )
    if kind == ChannelKind.WEBHOOK:
        return
    try:
        document = json.loads(answer)
        code = document.get("errcode", document.get("code", document.get("StatusCode", 0)))
    except (ValueError, AttributeError):
        raise Undelivered(_("The receiver's answer cannot be read: %(answer)s") % {"answer": shown}) from None
    if code not in {0, "0"}:
        # 45009, 130101, 11232 …: too many messages; everything else is worth another try as well, the outbox gives up in the end.
        raise Undelivered(_("The chat tool refused the message: %(answer)s") % {"answer": shown})
