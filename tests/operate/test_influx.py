"""Metrics in line protocol: what a line says, and how they are pushed to who comes and goes."""

from __future__ import annotations

import asyncio

import pytest

from oakroot.operate.influx import Pusher, lines
from oakroot.operate.overview import Condition, Zone
from oakroot.operate.samples import Scene
from tests.operate.scenes import HOSTILE, NOON, scene


def test_labels_are_tags_and_moments_nanoseconds() -> None:
    found = list(lines(scene(), "ns 1"))
    assert f"oakroot_queries_total,name=ns\\ 1,transport=udp value=10.0 {int(NOON)}000000000" in found
    assert any(line.startswith("oakroot_update_duration_seconds,name=ns\\ 1 le_0.1=2.0,") for line in found)


def test_no_name_can_end_a_line_or_a_tag() -> None:
    found = [
        line for line in lines(scene(Zone(HOSTILE, Condition.CURRENT, 9)), "a") if "zone_serial," in line
    ]
    assert found == [
        f'oakroot_zone_serial,name=a,zone="\\\\?<script>alert(1)</script> value=9.0 {int(NOON)}000000000'
    ]


def test_pushes_go_on_when_the_other_side_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        came: asyncio.Queue[bytes] = asyncio.Queue()
        failed = asyncio.Event()

        def look() -> Scene:
            if "cannot be pushed" in caplog.text:
                failed.set()
            return scene()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await came.put(await reader.readline())
            writer.transport.abort()

        server = await asyncio.start_server(take, "127.0.0.1", 0)
        place: tuple[str, int] = server.sockets[0].getsockname()[:2]
        server.close()
        await server.wait_closed()
        task = asyncio.create_task(Pusher(place, "ns1", look).keep_pushing(0.01))
        async with asyncio.timeout(10):
            await failed.wait()
            async with await asyncio.start_server(take, *place):
                for _ in range(2):
                    assert (await came.get()).startswith(b"oakroot_build_info,name=ns1,")
        task.cancel()

    caplog.set_level("INFO")
    asyncio.run(run())
    assert caplog.text.count("cannot be pushed") < 5
