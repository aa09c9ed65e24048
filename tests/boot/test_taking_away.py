"""What is left of the package when it is purged, services running."""

from __future__ import annotations

from tests.boot.service import Service


def test_removing_the_package_ends_the_services(service: Service) -> None:
    service.machine.run("dpkg", "--purge", "oakroot")
    assert service.machine.run("systemctl", "list-units", "--no-legend", "oakroot*").strip() == ""
    assert ":53 " not in service.machine.run("ss", "--listening", "--udp", "--tcp", "--numeric")
