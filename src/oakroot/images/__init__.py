"""Appliance images: a machine in which nothing runs but one of Oakroot's servers.

`fetch` gathers the inputs and writes their hashes down (`lock`, `inputs`). `build` makes an image of them:
`debian` and `wheels` unpack, `contents` says what stays, `toolchain` has the image's own Python compile and
compress, `archive` puts the Python code together, `kernel` unpacks Linux, `elf` strips, `cpio`, `oci` and
`bill` write it down. `verify` builds again and compares. `machine` starts an image in a virtual machine.

Who built what: `record` tells an image by hashes, `comparison` two of them, `statement` is one builder's word
of one, `ledger` all words of all, which `ledger_repository` keeps in git and `ledger_page` shows.

What runs inside one: `init` as its first process, `inside` in a container, with `boot` (arguments), `netlink`
(addresses), `extensions` (compiled modules), `confinement` and `syscalls` (what the server may still do).
"""
