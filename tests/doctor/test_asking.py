"""What a server may answer over TLS that makes no sense: it is told, and nothing breaks."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import ssl
import threading
from pathlib import Path

import dns.name
import dns.rdatatype

from oakroot.doctor.asking import Question, hear_over_tls
from tests.peers.authority import Authority

_CERTIFICATE = re.compile("(?<=BEGIN CERTIFICATE-----\n).*?(?=-----END)", re.DOTALL)


def of_version_4(file: Path) -> None:
    """Makes the certificate one of a version that there is not: OpenSSL shows it all the same."""

    def changed(found: re.Match[str]) -> str:
        octets = base64.b64decode(found[0]).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x03", 1)
        return base64.encodebytes(octets).decode()

    file.write_text(_CERTIFICATE.sub(changed, file.read_text()))


def test_a_certificate_of_no_known_version_is_told(tmp_path: Path) -> None:
    file = Authority(tmp_path).issue("ns.test")
    of_version_4(file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def show() -> None:
            plain, _ = listener.accept()
            with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as encrypted:
                encrypted.recv(1)

        thread = threading.Thread(target=show)
        thread.start()
        question = Question(dns.name.from_text("example.org"), dns.rdatatype.SOA)
        heard = hear_over_tls(listener.getsockname(), question, 20)
        thread.join(20)
    assert heard.soa.trouble == "an answer that makes no sense (ValueError)"
    assert heard.valid_until is None
