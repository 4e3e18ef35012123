"""Certificates for tests: good ones, and each kind of bad one; made anew for every run."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from pathlib import Path

_CA: Final = """\
[ca]
default_ca = ours
[ours]
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
"""
_LONG_AGO: Final = ("20200101000000Z", "20200102000000Z")
_FOR_LONG: Final = ("20200101000000Z", "21200101000000Z")


class Authority:
    """Signs certificates, and is trusted by who trusts it."""

    def __init__(self, folder: Path) -> None:
        """Make the authority."""
        if shutil.which("openssl") is None:
            pytest.skip("there is no openssl to make certificates with")
        self._folder = folder
        (folder / "ca.cnf").write_text(_CA.format(folder=folder))
        (folder / "index.txt").touch()
        (folder / "serial").write_text("01\n")
        self._self_signed("ca", "/CN=Ours", "basicConstraints=critical,CA:TRUE")

    def trusting(self) -> ssl.SSLContext:
        """Return what a client trusts it with."""
        return ssl.create_default_context(cafile=str(self._folder / "ca.pem"))

    def server(self, name: str, host: str, *, is_expired: bool = False) -> ssl.SSLContext:
        """Return what a server uses whose certificate is for that host."""
        folder = self._folder
        _openssl(
            *["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
            *["-subj", f"/CN={name}", "-addext", f"subjectAltName={host}"],
            *["-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.csr"],
        )
        begin, end = _LONG_AGO if is_expired else _FOR_LONG
        _openssl(
            *["ca", "-batch", "-notext", "-config", f"{folder}/ca.cnf"],
            *["-startdate", begin, "-enddate", end],
            *["-in", f"{folder}/{name}.csr", "-out", f"{folder}/{name}.pem"],
        )
        return self._serving(name)

    def self_signed(self, host: str) -> ssl.SSLContext:
        """Return what a server uses whose certificate nobody has signed but itself."""
        self._self_signed("self", "/CN=Self", f"subjectAltName={host}")
        return self._serving("self")

    def _serving(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{self._folder}/{name}.pem", f"{self._folder}/{name}.key")
        return context

    def _self_signed(self, name: str, subject: str, extension: str) -> None:
        _openssl(
            *["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
            *["-subj", subject, "-addext", extension, "-days", "30"],
            *["-keyout", f"{self._folder}/{name}.key", "-out", f"{self._folder}/{name}.pem"],
        )


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], check=False, capture_output=True)  # noqa: S607
    assert done.returncode == 0, done.stderr.decode()
