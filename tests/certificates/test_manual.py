"""The program in docs/certificates.md works as it stands there, and goes on presenting what is new."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from oakroot.certificates import dialogue
from tests.certificates.little_certifier import LittleCertifier
from tests.peers.nameservers import ZoneFile
from tests.peers.updatable import UpdatableBind
from tests.protocol.keys import make_key

HOST = "www.example.org"
KEY = make_key("certify._update.example.org.")
ZONE = "$TTL 60\n@ SOA ns hostmaster 1 7200 600 1209600 60\n@ NS ns\nns A 127.0.0.1\n"


@pytest.fixture
def bind(
    tmp_path: Path, require: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[UpdatableBind]:
    require("named")
    monkeypatch.setattr(dialogue, "FIRST_PAUSE", 0.1)
    zone = tmp_path / "example.org"
    zone.write_text(ZONE)
    with UpdatableBind([ZoneFile("example.org.", zone)], tmp_path / "bind", KEY) as bind:
        yield bind


@pytest.fixture
def program(project_root: Path) -> ModuleType:
    text = (project_root / "docs/certificates.md").read_text()
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    module = ModuleType("manual")
    exec(found[1], module.__dict__)  # noqa: S102 - our own manual
    return module


async def presented(port: int, root: str) -> bytes:
    """The certificate that the program's server presents to somebody who trusts the root."""
    trusting = ssl.create_default_context(cadata=root)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname=HOST)
    assert await reader.readline() == b"hello\n"
    certificate: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        await writer.wait_closed()
    return certificate


def test_the_program_serves_and_renews(
    bind: UpdatableBind,
    program: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ports: asyncio.Queue[int] = asyncio.Queue()
    listen = asyncio.start_server

    async def listening(*words: object, **more: object) -> asyncio.Server:
        server: asyncio.Server = await listen(*words, **more)  # type: ignore[arg-type]
        ports.put_nowait(server.sockets[0].getsockname()[1])
        return server

    monkeypatch.setattr(asyncio, "start_server", listening)
    # Begun an hour ago, it has two thirds of its time behind it in a second or two.
    certifier = LittleCertifier(bind.address, "example.org.", HOST, KEY, days=(5400 + 4) / 86400)

    async def watch() -> None:
        key = f"{KEY.name}:SHA256:{KEY.secret.base64()}"
        where = f"{bind.address[0]}:{bind.address[1]}"
        serving = asyncio.create_task(program.serve(where, key, HOST, str(tmp_path / "tls")))
        async with asyncio.timeout(60):
            port, root = await ports.get(), certifier.authority.root.pem
            first = await presented(port, root)
            while await presented(port, root) == first:
                pass
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving

    with certifier:
        asyncio.run(watch())
    assert f"serving {HOST} until 20" in capsys.readouterr().out
