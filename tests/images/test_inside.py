"""What runs inside an image, proved on the kernel at hand, in a network namespace."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.conftest import peers_are_required

_ADDRESSES = """
import socket
from ipaddress import ip_address, ip_interface
from oakroot.images import netlink
index = socket.if_nametoindex("v0")
netlink.send(netlink.link_up(socket.if_nametoindex("v1")))
for message in (netlink.link_up(index), netlink.address(index, ip_interface("10.0.42.2/24")),
                netlink.address(index, ip_interface("2001:db8::2/64")),
                netlink.default_route(index, ip_address("10.0.42.1")),
                netlink.default_route(index, ip_address("2001:db8::1"))):
    netlink.send(message)
try:
    netlink.send(netlink.default_route(index, ip_address("192.0.2.1")))
except OSError as problem:
    print(problem.strerror)
"""

_CONFINED = """
import os, socket, sys
from oakroot.images.confinement import become, confine
become(65532)
print(confine(["/usr", "/lib", "/lib64", "/etc"], [sys.argv[1]]))
def tried(what, action):
    try:
        action()
        print(what, "done")
    except OSError as problem:
        print(what, problem.strerror)
tried("port", lambda: socket.create_server(("127.0.0.1", 53)).close())
tried("program", lambda: os.execv("/bin/true", ["true"]))
tried("user", lambda: os.setuid(0))
tried("write", lambda: open(sys.argv[1] + "/kept", "w").close())
tried("elsewhere", lambda: open("/var/tmp/oakroot-elsewhere", "w").close())
"""


def _in_namespace(require: Callable[[str], str], script: str) -> str:
    command = [require("unshare"), "--net", "sh", "-ec", script, "sh", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unshare failed" in done.stderr and not peers_are_required():
        pytest.skip("no rights to make a network namespace")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_interface_gets_addresses_and_routes(require: Callable[[str], str]) -> None:
    require("ip")
    look = "ip -br address show dev v0; ip route; ip -6 route"
    script = f"ip link add v0 type veth peer name v1; $1 -c '{_ADDRESSES}'; {look}"
    shown = _in_namespace(require, script)
    assert "10.0.42.2/24" in shown
    assert "2001:db8::2/64" in shown
    assert "default via 10.0.42.1 dev v0" in shown
    assert "default via 2001:db8::1 dev v0" in shown
    assert "Network is unreachable" in shown


def test_a_server_keeps_its_port_and_its_folder_and_nothing_else(
    require: Callable[[str], str],
) -> None:
    folder = "$(mktemp -d)"
    script = (
        f"ip link set lo up; folder={folder}; chmod 777 $folder\n$1 -c '{_CONFINED}' $folder; rm -r $folder"
    )
    said = _in_namespace(require, script).splitlines()
    unable = said.pop(0)
    assert "seccomp" not in unable
    assert said[:4] == [
        "port done",
        "program Function not implemented",
        "user Function not implemented",
        "write done",
    ]
    assert "landlock" in unable or said[4] == "elsewhere Permission denied"
