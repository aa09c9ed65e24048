"""What an image holds of its inputs: enough to serve, and nothing to work with.

No shell, no package manager, no compiler, no documentation, no tests. Pure.
"""

from __future__ import annotations

import re
from enum import StrEnum

from oakroot.images.rejected import ImageError
from oakroot.images.tree import Device, Entry, File, Folder, Tree

PYTHON = "usr/bin/python3.11"
LOADER = "lib64/ld-linux-x86-64.so.2"
LIBRARY = "usr/lib/python3.11"
ARCHIVE = "usr/lib/python311.zip"
"""All Python code: Python itself looks there first."""
SITE = "usr/lib/oakroot"
"""The compiled parts of wheels, which cannot be loaded out of an archive."""
SECRETS = "run/secrets"
STATE = "var/lib/oakroot"
KERNEL_PREFIX = "linux-image-"

PACKAGES = (
    "ca-certificates", "libc6", "libexpat1", "libffi8", "libgcc-s1", "libpython3.11-minimal",
    "libpython3.11-stdlib", "libssl3", "python3.11-minimal", "zlib1g",
)  # fmt: skip
"""Debian's, beside a kernel for virtual machines."""


class Role(StrEnum):
    """What an image serves as."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    CERTIFIER = "certifier"


_CRYPTOGRAPHY = ("cffi", "cryptography")
WHEELS = {
    Role.PRIMARY: (
        "asyncssh", *_CRYPTOGRAPHY, "dnspython", "dulwich", "oakroot", "typing-extensions", "urllib3",
    ),
    Role.SECONDARY: (*_CRYPTOGRAPHY, "dnspython", "oakroot"),
    Role.CERTIFIER: (*_CRYPTOGRAPHY, "dnspython", "oakroot", "urllib3"),
}  # fmt: skip

MODULES = (
    "drivers/virtio/virtio_ring", "drivers/virtio/virtio", "drivers/virtio/virtio_pci_legacy_dev",
    "drivers/virtio/virtio_pci_modern_dev", "drivers/virtio/virtio_pci", "drivers/virtio/virtio_mmio",
    "net/core/failover", "drivers/net/net_failover", "drivers/net/virtio_net",
    "drivers/block/virtio_blk", "drivers/char/hw_random/virtio-rng", "drivers/firmware/qemu_fw_cfg",
    "mm/zsmalloc", "crypto/lzo-rle", "drivers/block/zram/zram",
)  # fmt: skip
"""Parts of the kernel that a virtual machine needs, in the order in which they can be loaded."""

_LIBRARIES = re.compile(
    r"(usr/)?lib/x86_64-linux-gnu/"
    r"(ld-linux-x86-64|libc|libcrypto|libdl|libexpat|libffi|libgcc_s|libm|libnss_dns|libnss_files|libpthread"
    r"|libresolv|librt|libssl|libutil|libz)\.so\.[0-9.]+\Z"
)
_NOT_FOR_SERVING = {
    "__hello__", "__phello__", "aifc", "antigravity", "asynchat", "asyncore", "audioop", "bdb",
    "cProfile", "cgi", "cgitb", "chunk", "code", "codeop", "colorsys", "crypt", "curses", "dbm",
    "distutils", "doctest", "ensurepip", "ftplib", "idlelib", "imaplib", "imghdr", "lib2to3", "mailbox",
    "mailcap", "modulefinder", "msilib", "nntplib", "nturl2path", "pdb", "pipes", "poplib", "profile",
    "pstats", "pty", "pyclbr", "pydoc", "pydoc_data", "rlcompleter", "sched", "shelve", "sitecustomize",
    "smtpd", "smtplib", "sndhdr", "sqlite3", "sunau", "tabnanny", "telnetlib", "test", "this", "timeit",
    "tkinter", "trace", "turtle", "turtledemo", "unittest", "uu", "venv", "wave", "webbrowser",
    "wsgiref", "xdrlib", "xmlrpc", "zipapp",
}  # fmt: skip
_EXTENSIONS_NOT_FOR_SERVING = re.compile(
    r"_(bz2|codecs_\w+|crypt|ctypes_test|curses\w*|dbm|lsprof|lzma|multibytecodec|sqlite3|test\w*|uuid|xx\w+)\."
    r"|(audioop|nis|ossaudiodev|readline|xx\w+)\."
)
_PACKAGES_NOT_FOR_SERVING = re.compile(
    r"oakroot/(templates|importing|images/(?!__init__|boot|confinement|cpio|drive|extensions|init"
    r"|inside|kernel_calls|memory|netlink|rejected|syscalls|tree))"
    r"|cffi/|dulwich/(cli\.|(cli|contrib|tests)/)|urllib3/contrib/emscripten/|[^/]*(dist-info|\.data|\.libs)/"
)


def stays(path: str) -> bool:
    """Whether this file of a Debian package belongs into an image."""
    if path.startswith(f"{LIBRARY}/"):
        return _stays_in_library(path[len(LIBRARY) + 1 :])
    return path in {PYTHON, LOADER} or bool(_LIBRARIES.match(path))


def stays_of_wheel(path: str) -> bool:
    """Whether this file of a wheel belongs into an image."""
    return path.endswith((".py", ".so")) and not _PACKAGES_NOT_FOR_SERVING.match(path)


def _stays_in_library(path: str) -> bool:
    first, _, rest = path.partition("/")
    if first == "lib-dynload":
        return not _EXTENSIONS_NOT_FOR_SERVING.match(rest)
    return path.endswith(".py") and first.removesuffix(".py") not in _NOT_FOR_SERVING


def certificates(package: Tree) -> bytes:
    """All authorities of the package ca-certificates, in one file."""
    found = [
        entry.content.strip() + b"\n"
        for path, entry in sorted(package.items())
        if path.startswith("usr/share/ca-certificates/") and isinstance(entry, File)
    ]
    return b"".join(found)


def common_files(authorities: bytes) -> dict[str, Entry]:
    """What no package has: certificates where they are looked for, names of users, places to write."""
    return {
        "etc/passwd": File(b"root:x:0:0::/:/\noakroot:x:65532:65532::/var/lib/oakroot:/\n"),
        "etc/group": File(b"root:x:0:\noakroot:x:65532:\n"),
        "etc/nsswitch.conf": File(b"hosts: files dns\n"),
        "etc/hosts": File(b"127.0.0.1 localhost\n::1 localhost\n"),
        "etc/resolv.conf": File(b""),
        "usr/lib/ssl/cert.pem": File(authorities),
        "proc": Folder(), "sys": Folder(), "dev": Folder(), "run": Folder(),
        # Engines give what they mount at these places the rights that they have here.
        STATE: Folder(0o1777), "tmp": Folder(0o1777),
    }  # fmt: skip


def machine_files(role: Role) -> dict[str, Entry]:
    """What only a machine of its own needs: its first process, and the device it speaks through."""
    return {"init": File(_INIT.format(python=PYTHON, role=role).encode(), executable=True),
            "dev/console": Device(5, 1)}  # fmt: skip


def entry_point(role: Role) -> tuple[str, ...]:
    """What a container runs."""
    return (f"/{PYTHON}", "-IS", "-c", f"from oakroot.images.inside import main; main('{role}')")


_INIT = """\
#!/{python} -IS
from oakroot.images.memory import move_root
move_root(("/{python}", "-IS", "-c", "from oakroot.images.init import main; main('{role}')"))
"""


def kernel_parts(package: str, tree: Tree) -> tuple[bytes, dict[str, Entry]]:
    """A kernel package's kernel, and its modules by the path they have in an image; ImageError."""
    kernels = [path for path in tree if path.startswith("boot/vmlinuz-")]
    if len(kernels) != 1:
        raise ImageError(f"{package}: {len(kernels)} kernels where one should be")
    version = kernels[0].removeprefix("boot/vmlinuz-")
    modules: dict[str, Entry] = {}
    for number, name in enumerate(MODULES):
        path = f"lib/modules/{version}/kernel/{name}.ko"
        if path not in tree:
            raise ImageError(f"{package}: no module {name}")
        modules[f"lib/modules/{number:02}-{name.rpartition('/')[2]}.ko"] = tree[path]
    kernel = tree[kernels[0]]
    if not isinstance(kernel, File):
        raise ImageError(f"{package}: the kernel is no file")
    return kernel.content, modules
