#!/usr/bin/env bash
# Boots a fresh Debian with systemd in namespaces of its own, without a network, and starts, reloads, upgrades, kills and
# purges there what the package installs. As root; wants mmdebstrap and systemd-container. Usage: test_boot.sh PACKAGE.deb
set -euo pipefail
cd "$(dirname "$0")/.."
OAKROOT_BASE=$(scripts/debian_base.sh)
OAKROOT_PACKAGE=$(realpath "$1")
export OAKROOT_BASE OAKROOT_PACKAGE
.venv/bin/python -m pytest tests/boot --verbose --log-cli-level=info
