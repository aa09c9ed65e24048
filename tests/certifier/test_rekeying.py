"""Keys that the operator gives while the certifier runs (SIGHUP)."""

from __future__ import annotations

import dns.name

from oakroot.certifier.core import Settings
from oakroot.certifier.events import RefreshRequested, Rekeyed
from tests.certificates.minting import new_request
from tests.certifier.stage import Stage

WWW = "www.example.org"


def test_a_host_is_certified_once_there_is_a_key_for_its_zone() -> None:
    stage = Stage(settings=Settings(grants=(dns.name.from_text("example.net."),)))
    stage.publish(WWW, der=new_request(WWW))
    stage.run(600)
    assert not stage.certified(WWW)
    assert stage.said("in no zone that this certifier may update") == 1
    stage.happen(Rekeyed((dns.name.from_text("example.org."),)))
    stage.happen(RefreshRequested())
    stage.run_until(lambda: stage.certified(WWW), 60)
