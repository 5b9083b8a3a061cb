"""Which certificates count for the API: against a TLS server on loopback whose CA nobody knows."""

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.account import KEY, settings
from tests.support.program import Program
from tpmirror.errors import ApiError, UsageError
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.tensorpix import tls
from tpmirror.tensorpix.client import Api

NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A throw-away CA in ``ca.pem``, and what it signed for 127.0.0.1 and for another host."""
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", "req", "-x509", *NEW_KEY, *words], cwd=folder, check=True, capture_output=True)

    openssl("-subj", "/CN=Throw-away CA", "-keyout", "ca.key", "-out", "ca.pem")
    for name, host in (("here", "IP:127.0.0.1"), ("elsewhere", "DNS:elsewhere.example")):
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", f"subjectAltName={host}")
        openssl(*signed, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    (folder / "der.pem").write_bytes(ssl.PEM_cert_to_DER_cert((folder / "ca.pem").read_text()))
    (folder / "text.pem").write_text("Hello\n")
    return folder


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def serve(folder: Path, name: str) -> Iterator[Simulator]:
    simulator = Simulator(World(seed=1, jobs=5, in_flight=0), token=KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    simulator._server.socket = context.wrap_socket(simulator._server.socket, server_side=True)
    with simulator:
        yield simulator


@pytest.fixture
def sim(folder: Path) -> Iterator[Simulator]:
    yield from serve(folder, "here")


@pytest.fixture
def stranger(folder: Path) -> Iterator[Simulator]:
    yield from serve(folder, "elsewhere")


def read(sim: Simulator, ca_file: Path | None = None) -> int:
    """How many jobs a page of it shows."""
    with Api(settings(sim, api_url=sim.url.replace("http:", "https:"), ca_file=ca_file or "")) as api:
        return len(api.page(10, 0).listing)


def test_an_unknown_ca_is_refused_at_once_and_the_setting_is_named(sim):
    message = (
        r"^the certificate of https://127\.0\.0\.1:\d+ is not trusted: [^;]*certificate[^;]*; "
        "where the network inspects TLS, set TPMIRROR_CA_FILE to a PEM file with the certificate of its CA$"
    )
    with Api(settings(sim, api_url=sim.url.replace("http:", "https:"))) as api:
        with pytest.raises(ApiError, match=message):
            api.page(10, 0)
        assert (api.requests, api.retries, sim.count_requests()) == (1, 0, 0)


def test_a_ca_of_the_setting_is_trusted_besides_the_systems(sim, folder):
    assert read(sim, ca_file=folder / "ca.pem") == 5
    added = tls.trust(folder / "ca.pem").cert_store_stats()["x509"] - tls.trust(None).cert_store_stats()["x509"]
    assert added == 1


def test_a_ca_of_openssls_own_variable_is_trusted(sim, folder, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    assert read(sim) == 5
    assert "SSL_CERT_FILE" in tls.describe(None)


def test_another_ca_and_another_host_are_refused_with_what_to_check(sim, stranger, folder):
    other = folder / "elsewhere.pem"
    with pytest.raises(ApiError, match=r"TPMIRROR_CA_FILE \('.*elsewhere.pem'\) lacks the certificate of the CA"):
        read(sim, ca_file=other)
    with pytest.raises(ApiError, match=r"is not trusted: .*127\.0\.0\.1.*; check TPMIRROR_API_URL$"):
        read(stranger, ca_file=folder / "ca.pem")
    assert "clock" in tls.remedy(10, other)


BAD_FILES = {
    "none.pem": "which cannot be read: No such file or directory",
    ".": "which is no file",
    "der.pem": "which holds no certificates in PEM",
    "text.pem": "which holds no certificates in PEM",
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_holds_no_certificates_is_refused_by_its_variable(name, folder, monkeypatch):
    says = rf"^{{}} is '{folder}.*', {BAD_FILES[name]}; it accepts a PEM file with certificates of CAs$"
    for asked in (tls.trust, tls.describe):
        with pytest.raises(UsageError, match=says.format("TPMIRROR_CA_FILE")):
            asked(folder / name)
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / name))
    with pytest.raises(UsageError, match=says.format("SSL_CERT_FILE")):
        tls.trust(None)


def test_where_the_system_has_no_certificates_those_of_certifi_count(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert len(tls.trust(None).get_ca_certs()) > 50
    assert tls.describe(folder / "ca.pem").startswith("certifi's, because the system has none, 1 of TPMIRROR_CA_FILE (")
    (tmp_path / "0a1b2c3d.0").write_text("loaded when a handshake needs it")
    assert tls.trust(None).get_ca_certs() == []


@pytest.mark.parametrize("command", ["sync", "poll", "run"])
def test_a_wrong_file_ends_a_command_with_2_before_anything_is_done(command, sim, tmp_path, folder, capsys):
    tool = Program(
        tmp_path, {"TPMIRROR_API_URL": sim.url, "TPMIRROR_API_KEY": KEY, "TPMIRROR_HTTP_ADDR": "127.0.0.1:0"}
    )
    said, complained = tool.call(capsys, command, "--ca-file", str(folder / "text.pem"), code=2)
    assert (said, complained.count("\n"), "--ca-file is" in complained) == ("", 1, True)
    assert list(tmp_path.iterdir()) == []


def test_doctor_says_which_certificates_count(sim, tmp_path, folder, capsys):
    tool = Program(tmp_path, {"TPMIRROR_API_URL": sim.url.replace("http:", "https:"), "TPMIRROR_API_KEY": KEY})
    said, _ = tool.call(capsys, "doctor", code=1)
    assert "trusted certificates: the system's (" in said
    assert "set TPMIRROR_CA_FILE to a PEM file" in " ".join(said.split())
    said, _ = tool.call(capsys, "doctor", "--ca-file", str(folder / "ca.pem"))
    assert f"1 of --ca-file ({folder}/ca.pem)" in " ".join(said.split())
    said, _ = tool.call(capsys, "doctor", "--ca-file", str(folder / "none.pem"), code=2)
    assert "which cannot be read: No such file or directory" in " ".join(said.split())
