"""The broker with TLS: foreign clients over real sockets, certificates that are replaced, and what is no certificate."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.gateway.kit import hub_of, run, spec
from tests.gateway.mqtt.foreign import pub
from tests.gateway.mqtt.test_broker import said, until
from yuanmai.gateway.certificate import Certificate
from yuanmai.gateway.mqtt.broker import Broker
from yuanmai.gateway.mqtt.listeners import listeners
from yuanmai.gateway.options import Options


def make_pair(folder: Path, number: int = 1) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(number)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    chain, secret = folder / "cert.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return chain, secret


def port_of(broker: Broker, place: int) -> int:
    return int(broker.addresses[place].rpartition(":")[2])


def test_foreign_clients_speak_and_hear_through_tls(tmp_path: Path) -> None:
    chain, key = make_pair(tmp_path)

    async def work() -> None:
        hub, journal = hub_of(spec("mqtt", "pump"))
        broker = Broker(hub, "127.0.0.1", 0)
        broker.secure = 0, Certificate(chain, key)
        await broker.start()
        try:
            plain, secure = port_of(broker, 0), port_of(broker, 1)
            # Its name, too, is checked by the client: 127.0.0.1 is not in the certificate.
            trusting = ("--cafile", str(chain), "-h", "localhost", "-i", "pump", "-q", "1")
            lines = b"\n".join(b'{"n":%d}' % number for number in range(200))
            await pub(secure, *trusting, "-t", "devices/pump/telemetry", "-l", text=lines)
            assert [json.loads(body)["n"] for _key, _topic, body in said(journal)] == list(range(200))
            # Who speaks plainly to the port with TLS, or the other way round, is not heard, and harms nobody.
            one = ("-q", "1", "-t", "devices/pump/telemetry", "-m", '{"n":1}')
            assert (await pub(secure, "-i", "pump", *one, check=False))[0] != 0
            assert (await pub(plain, *trusting, *one, check=False))[0] != 0
            await pub(plain, "-i", "pump", *one)
            assert len(said(journal)) == 201
        finally:
            await broker.stop()
        assert not broker.connections

    run(work(), 60)


def test_a_certificate_that_is_replaced_is_taken_and_one_that_is_none_is_not(tmp_path: Path) -> None:
    chain, key = make_pair(tmp_path, 1)

    async def serial(port: int) -> int:
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        _reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return x509.load_der_x509_certificate(shown).serial_number

    async def work() -> None:
        hub, _journal = hub_of()
        broker = Broker(hub, "127.0.0.1", -1)
        certificate = Certificate(chain, key)
        broker.secure = 0, certificate
        await broker.start()
        try:
            (address,) = broker.addresses
            port = int(address.rpartition(":")[2])
            assert await serial(port) == 1
            key.write_text("no key")
            assert certificate.refresh() is False
            assert await serial(port) == 1, "a broken pair leaves the one before in force"
            make_pair(tmp_path, 2)
            os.utime(key, ns=(1, 1))
            await until(lambda: certificate.stamp[1] == 1)  # the broker looks by itself
            assert await serial(port) == 2
        finally:
            await broker.stop()

    run(work(), 60)


def test_without_a_certificate_the_gateway_says_what_is_missing(tmp_path: Path) -> None:
    hub, _journal = hub_of()
    options = Options("g", tmp_path, mqtts_port=0, environment={})
    with pytest.raises(ValueError, match="YUANMAI_TLS_CERTIFICATE"):
        listeners(hub, options)
    named = {"YUANMAI_TLS_CERTIFICATE": str(tmp_path / "a.pem"), "YUANMAI_TLS_KEY": str(tmp_path / "b.pem")}
    with pytest.raises(ValueError, match=r"a\.pem"):
        listeners(hub, Options("g", tmp_path, mqtts_port=0, environment=named))
    chain, key = make_pair(tmp_path)
    named = {"YUANMAI_TLS_CERTIFICATE": str(chain), "YUANMAI_TLS_KEY": str(key)}
    (broker,) = listeners(hub, Options("g", tmp_path, mqtts_port=0, environment=named))
    assert isinstance(broker, Broker) and broker.port == -1
