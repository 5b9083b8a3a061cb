"""Certificates trusted for the API: the system's, and those of a file besides, where a network inspects TLS."""

import os
import ssl
from pathlib import Path
from typing import Final

import httpx

from tpmirror.errors import UsageError

CA_FILE: Final = "TPMIRROR_CA_FILE"
_OUT_OF_TIME: Final = {9, 10}
_OTHER_NAME: Final = {62, 64}
"""OpenSSL's codes (X509_V_ERR_...): not yet or no longer valid; for another host or address."""


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """A context that trusts the system's certificates, or certifi's where it has none, and those of ``ca_file``.

    ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` replace the system's, as in OpenSSL. Raises UsageError for a file that cannot
    be used.
    """
    context = ssl.create_default_context()
    if not _has_any(context):
        context = httpx.create_ssl_context(trust_env=False)
    for variable, path in _files(ca_file).items():
        _load(context, variable, path)
        # Python 3.13 and later refuse CAs of proxies for lack of extensions that RFC 5280 requires.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def describe(ca_file: Path | None) -> str:
    """The sources of the trusted certificates, in words. Raises UsageError as ``trust`` does."""
    paths, files = ssl.get_default_verify_paths(), _files(ca_file)
    own = f"the system's ({paths.cafile or paths.capath or 'its store'})"
    found = [own if _has_any(ssl.create_default_context()) else "certifi's, because the system has none"]
    for variable, path in files.items():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _load(context, variable, path)
        found.append(f"{context.cert_store_stats()['x509']} of {variable} ({path})")
    return ", ".join(found)


def rejection(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """The refusal of a certificate behind an error; None if the error has another cause."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error


def remedy(code: int, ca_file: Path | None) -> str:
    """Remedies for a refused certificate, by OpenSSL's code."""
    if code in _OUT_OF_TIME:
        return "check this machine's clock, then the server's certificate"
    if code in _OTHER_NAME:
        return "check TPMIRROR_API_URL"
    if ca_file is not None:
        return f"{CA_FILE} ({str(ca_file)!r}) lacks the certificate of the CA that signed it"
    return f"where the network inspects TLS, set {CA_FILE} to a PEM file with the certificate of its CA"


def _files(ca_file: Path | None) -> dict[str, Path]:
    """Files that variables name, by variable."""
    named = {"SSL_CERT_FILE": os.environ.get("SSL_CERT_FILE"), CA_FILE: ca_file}
    return {variable: Path(path) for variable, path in named.items() if path}


def _has_any(context: ssl.SSLContext) -> bool:
    """Whether the system gave it certificates: slim containers and some builds of Python have none."""
    if context.cert_store_stats()["x509"]:
        return True
    paths = ssl.get_default_verify_paths()
    folders = os.environ.get(paths.openssl_capath_env, paths.openssl_capath).split(os.pathsep)
    return any(next(Path(folder).glob("*.[0-9]"), None) for folder in folders)  # loaded when a handshake needs them


def _load(context: ssl.SSLContext, variable: str, path: Path) -> None:
    reason = "which is no file"
    try:
        if path.is_file() or not path.exists():
            context.load_verify_locations(cafile=path)
            return
    except ssl.SSLError:
        reason = "which holds no certificates in PEM"
    except OSError as error:
        reason = f"which cannot be read: {error.strerror}"
    raise UsageError(f"{variable} is {str(path)[:200]!r}, {reason}; it accepts a PEM file with certificates of CAs")
