"""Updates, operators and a second primary at the same time: nobody's work is lost, and none is done twice."""

from __future__ import annotations

from pathlib import Path

from tests.faults.people import Clients, Operator, update
from tests.faults.sites import Site
from tests.peers.git_servers import git
from tests.peers.ports import free_port

SERVED = "zones served: 1"
PUSHES = 3


def test_an_operator_pushes_in_a_loop_while_eight_clients_update(site: Site, tmp_path: Path) -> None:
    with site.primary() as primary:
        primary.said(SERVED)
        # In bursts: who never rests leaves those no chance who log in anew for each push.
        with (
            Operator(site, tmp_path / "clone") as operator,
            Clients([primary.port], 8, PUSHES, operator.wait_for_one_more) as clients,
        ):
            pass
        # The last push of the operator may have forgotten the serial, and nobody have told us of it.
        assert update("last", primary.port).rcode == "NOERROR"
        assert not clients.others
        assert len(operator.commits) >= PUSHES
        assert set(operator.commits) <= set(site.commits())
        site.check([primary], [*clients.names, "last"])
    assert "Traceback" not in primary.log


def test_two_primaries_share_one_remote(site: Site) -> None:
    with site.primary() as one, site.primary("--poll", "1", port=free_port()) as other:
        one.said(SERVED)
        other.said(SERVED)
        with Clients([one.port, other.port], count=4, updates=2) as clients:
            pass
        assert not clients.others
        site.check([other], clients.names)


def test_a_history_rewritten_by_force_is_what_updates_go_on_from(site: Site) -> None:
    with site.primary() as primary:
        primary.said(SERVED)
        with Clients([primary.port], count=2, updates=2) as before:
            pass
        assert len(before.names) == 4
        serial = site.zone().serial
        theirs = site.repository.commit(_without_updates(site), orphan=True)
        with Clients([primary.port], count=4, updates=2, prefix="after") as after:
            pass
        assert len(after.names) == 8
        times = site.times_added()
        assert all(times[name] == 1 for name in after.names)
        assert theirs in site.commits()
        assert site.is_served(primary)
        assert site.zone().serial > serial


def _without_updates(site: Site) -> dict[str, bytes]:
    """All files as they were in the beginning."""
    first = site.commits()[0]
    shown = {
        name: git("show", f"{first}:{name}", cwd=site.repository.path) for name in ("mirage", "mirage._keys")
    }
    return {name: f"{text}\n".encode() for name, text in shown.items()}
