"""Servers that speak TLS, as a cloud's do: in front of an embedded one, with certificates of an authority of our own.

The embedded PostgreSQL and Redis are built without TLS, so something in front of them ends it, as stunnel would.
"""

import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from backend.clock import now

HERE = "127.0.0.1"
SSL_REQUEST, GSS_REQUEST = (  # PostgreSQL's: a length of 8 bytes, and which
    b"\0\0\0\x08" + which.to_bytes(4, "big") for which in (80877103, 80877104)
)


@dataclass(frozen=True)
class Authority:
    """One that signs; `file` is what those who trust it are given."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    file: Path

    def server(self, name: str) -> ssl.SSLContext:
        """What a server shows that is called `name`, a host's or an address."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            called: x509.GeneralName = x509.IPAddress(ip_address(name))
        except ValueError:
            called = x509.DNSName(name)
        made = _certificate(name, key, self.certificate.subject)
        made = made.add_extension(x509.SubjectAlternativeName([called]), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        signed = made.add_extension(issuer, critical=False).sign(self.key, hashes.SHA256())
        file = self.file.with_name(f"{name}.pem")
        file.write_bytes(_pem(key) + signed.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def authority(folder: Path, name: str) -> Authority:
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    made = _certificate(name, key, x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    usage = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    made = made.add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
    signed = made.sign(key, hashes.SHA256())
    file = folder / f"{name}.pem"
    file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    return Authority(key, signed, file)


def _certificate(name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Name) -> x509.CertificateBuilder:
    today: datetime = now()
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    return key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)


@contextmanager
def tls_in_front_of(port: int, context: ssl.SSLContext, *, postgres: bool = False) -> Iterator[int]:
    """A port on which TLS is ended; what is within goes to `port`. PostgreSQL's clients ask for TLS first."""

    class Line(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):  # who is not believed hangs up
                if postgres:
                    _asked_for_tls(self.request)
                outside = context.wrap_socket(self.request, server_side=True)
                with outside, socket.create_connection((HERE, port)) as within:
                    _joined(outside, within)

    with Lines((HERE, 0), Line) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="tls")
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


class Lines(socketserver.ThreadingTCPServer):
    daemon_threads = True  # a line ends when its client goes, at the latest with this process


def _asked_for_tls(wire: socket.socket) -> None:
    while (asked := wire.recv(8)) != SSL_REQUEST:
        if asked != GSS_REQUEST:
            raise ConnectionAbortedError("this server speaks TLS only")
        wire.sendall(b"N")
    wire.sendall(b"S")


def _joined(outside: ssl.SSLSocket, within: socket.socket) -> None:
    """Until one of both hangs up."""
    other = {outside: within, within: outside}
    while True:
        ready = [outside] if outside.pending() else select.select([outside, within], [], [])[0]
        for wire in ready:
            if not (piece := wire.recv(1 << 16)):
                return
            other[wire].sendall(piece)
