"""Keys for a FreeSWITCH of the tests, so that it starts at once."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def lay_keys(folder: Path) -> None:
    """Give the FreeSWITCH that will run in `folder` the keys it would make at its first start.

    They are for encrypted media, which nobody here uses. It makes two, each of 4096 bits, which takes two to eight seconds
    (switch_core_cert.c, switch_core_gen_certs; switch_msrp.c); of four primes instead of two it is one tenth of that. Without
    an openssl on this machine FreeSWITCH makes its own.
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        return
    certs = folder / "certs"
    certs.mkdir(parents=True, exist_ok=True)
    key, certificate = certs / "key", certs / "certificate"
    for command in (
        ["genrsa", "-primes", "4", "-out", str(key), "4096"],
        ["req", "-x509", "-key", str(key), "-subj", "/CN=tests", "-days", "2", "-out", str(certificate)],
    ):
        subprocess.run([openssl, *command], check=True, capture_output=True, timeout=60)
    for name in ("dtls-srtp.pem", "wss.pem"):
        (certs / name).write_bytes(key.read_bytes() + certificate.read_bytes())
