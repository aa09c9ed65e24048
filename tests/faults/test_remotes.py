"""Remotes that refuse, go away, or run out of room: what is not there is not served, and then it goes on."""

from __future__ import annotations

import random
import resource

from tests.faults.people import Clients, update
from tests.faults.sites import Site
from tests.zones.repositories import zone_text

SERVED = "zones served: 1"


def test_a_commit_that_a_hook_declines_is_servfail_with_its_words(site: Site) -> None:
    site.repository.hook("pre-receive", "echo 'zones are frozen until monday' >&2; exit 1")
    with site.primary() as primary:
        primary.said(SERVED)
        answer = update("frozen", primary.port)
        assert answer.rcode == "SERVFAIL"
        assert "zones are frozen until monday" in answer.told
        assert site.is_served(primary)
        (site.repository.path / "hooks" / "pre-receive").unlink()
        assert update("thawed", primary.port).rcode == "NOERROR"
        site.check([primary], ["thawed"])
    assert site.times_added()["frozen"] == 0


def test_a_hook_that_declines_one_update_of_a_group_leaves_the_others(local_site: Site) -> None:
    script = "read old new ref; ! git show $new:mirage | grep -q '^evil'"
    local_site.repository.hook("pre-receive", script)
    with local_site.primary() as primary:
        primary.said(SERVED)
        with Clients([primary.port], count=6, updates=2) as clients:
            answers = [update("evil", primary.port)]
        assert [answer.rcode for answer in answers] == ["SERVFAIL"]
        assert not clients.others
        local_site.check([primary], clients.names)


def test_a_remote_that_is_down_in_the_middle_of_a_burst_is_waited_for(site: Site) -> None:
    with site.line() as line, site.primary(line=line.port) as primary:
        primary.said(SERVED)
        assert update("first", primary.port).rcode == "NOERROR"
        line.breaks()
        with Clients([primary.port], count=4, updates=3) as clients:
            primary.said("updates could not be pushed")
            line.mends()
        assert not clients.others
        site.check([primary], clients.names)


def test_a_full_disk_is_waited_for_as_well(site: Site) -> None:
    """A limit of the size of files stands for it: writing fails in the same places."""
    digits = random.Random(1)
    texts = [f'n{at} TXT "{digits.getrandbits(400):x}"' for at in range(300)]
    site.repository.commit({"mirage": zone_text(2, *texts)})
    with site.primary() as primary:
        primary.said(SERVED)
        before = site.commits()
        resource.prlimit(primary.process_id, resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))
        assert update("full", primary.port, patience=3).rcode is None
        assert "File too large" in primary.log
        if site.transport == "path":  # servers have a disk of their own, and may have taken the commit
            assert site.commits() == before
            assert site.is_served(primary)
        resource.prlimit(primary.process_id, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert update("roomy", primary.port).rcode == "NOERROR"
        site.check([primary], ["roomy", "full"])
