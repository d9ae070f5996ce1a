"""Two processes that talk through TLS: each believes only whom its authority vouches for.

The authority and the certificates are made here; in a cluster they are the enterprise's.
"""

import multiprocessing
import multiprocessing.connection
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, Final

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from chassis.channel import connect
from chassis.errors import Unavailable, from_rpc_error
from chassis.server import Server, Service
from tests.chassis.baking import BakeRequest, BakeryStub, servicer

_HOST: Final = x509.IPAddress(ip_address("127.0.0.1"))
_ELSEWHERE: Final = x509.DNSName("bakery.elsewhere.example")
_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """Vouches for names."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        made = _certificate(self._name, self._name, self._key)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.certificate = made.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def vouch(self, *names: x509.GeneralName) -> Pair:
        """A certificate for the names."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _certificate(_name("process"), self._name, key)
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = made.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)
        return Pair(certificate, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
    )


def _said(request: Any, context: grpc.ServicerContext) -> str:
    tokens = [value for key, value in context.invocation_metadata() or () if key == "authorization"]
    return f"{request.name} {tokens}"


def _serve(pipe: multiprocessing.connection.Connection, pair: Pair | None, clients: bytes | None) -> None:
    """The bakery in a process of its own, until the pipe says that it is enough."""
    credentials = None
    if pair is not None:
        credentials = grpc.ssl_server_credentials(
            [(pair.key, pair.certificate)], clients, require_client_auth=clients is not None
        )
    server = Server(Service("bakery", [servicer(_said)]), credentials=credentials)
    pipe.send(server.start())
    pipe.recv()
    server.stop(1)


@contextmanager
def _bakery(pair: Pair | None, *, clients: bytes | None = None) -> Iterator[str]:
    """Its address. `clients`: the authority whose word a caller needs."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, pair, clients))
    process.start()
    try:
        assert ours.poll(60), "the bakery did not start"
        yield f"127.0.0.1:{ours.recv()}"
    finally:
        ours.send("enough")
        process.join(20)
        if process.is_alive():
            process.kill()
            process.join()


def _trusting(authority: Authority, own: Pair | None = None) -> grpc.ChannelCredentials:
    if own is None:
        return grpc.ssl_channel_credentials(authority.certificate)
    return grpc.ssl_channel_credentials(authority.certificate, own.key, own.certificate)


def _bake(address: str, credentials: grpc.ChannelCredentials | None) -> str:
    with connect(address, credentials=credentials, token=lambda: "baker's", timeout=_SECONDS) as channel:
        return str(BakeryStub(channel).Bake(BakeRequest(name="rye")).loaf)


def _refused(address: str, credentials: grpc.ChannelCredentials | None) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        _bake(address, credentials)
    assert isinstance(from_rpc_error(refused.value), Unavailable)


@pytest.fixture(scope="module")
def ours() -> Authority:
    return Authority("ours")


@pytest.fixture(scope="module")
def others() -> Authority:
    """Calls itself by the same name; it has another key."""
    return Authority("ours")


def test_calls_and_streams_go_through_to_a_process_our_authority_vouches_for(
    ours: Authority, others: Authority
) -> None:
    with _bakery(ours.vouch(_HOST)) as address:
        assert _bake(address, _trusting(ours)) == 'rye ["Bearer baker\'s"]'
        with connect(address, credentials=_trusting(ours)) as channel:
            answers = BakeryStub(channel).Watch(BakeRequest(name="x", count=2), timeout=_SECONDS)
            assert [answer.loaf for answer in answers] == ["0", "1", "x []"]
        # Who trusts another authority, and who does not speak TLS, does not get through.
        _refused(address, _trusting(others))
        _refused(address, None)
        assert _bake(address, _trusting(ours))


def test_a_process_that_is_vouched_for_under_another_name_is_not_believed(ours: Authority) -> None:
    with _bakery(ours.vouch(_ELSEWHERE)) as address:
        _refused(address, _trusting(ours))


def test_a_process_without_tls_is_not_talked_to_where_tls_is_asked_for(ours: Authority) -> None:
    with _bakery(None) as address:
        _refused(address, _trusting(ours))
        assert _bake(address, None)


def test_where_callers_must_be_vouched_for_nobody_else_gets_in(ours: Authority, others: Authority) -> None:
    with _bakery(ours.vouch(_HOST), clients=ours.certificate) as address:
        assert _bake(address, _trusting(ours, ours.vouch(_ELSEWHERE)))
        _refused(address, _trusting(ours))
        _refused(address, _trusting(ours, others.vouch(_HOST)))
