"""A certifier in a dozen lines, without an authority behind it: for the tests of those who wait for one."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

import dns.message
import dns.query
import dns.rdatatype
import dns.update

from oakroot.certificates.certificate import is_fresh
from oakroot.certificates.forms import TTL, TYPE, certificate_records, read_records, replacement
from oakroot.certificates.names import read_name, records_name
from oakroot.certificates.rejected import RejectedError
from oakroot.keys.key import Key
from tests.certificates.authority import TestAuthority
from tests.peers.ports import Address


class LittleCertifier:
    """Watches one host at one server, between `__enter__` and `__exit__`, and certifies its requests."""

    def __init__(self, address: Address, zone: str, host: str, key: Key, *, days: float = 90) -> None:
        self.authority = TestAuthority()
        self.days = days
        self.issued = 0
        self._address = address
        self._zone = zone
        self._owner = records_name(read_name(host))
        self._keyring = key.for_dnspython()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            query = dns.message.make_query(self._owner, dns.rdatatype.TLSA)
            answer = dns.query.tcp(query, self._address[0], port=self._address[1], timeout=10)
            rdatas = [rdata.to_text(chunksize=0) for rrset in answer.answer for rdata in rrset]
            published = read_records(rdatas)
            try:
                request = published.request()
            except RejectedError:
                continue
            if request is None:
                continue
            there = published.chain_for(request)
            if there and is_fresh(there[0], time.time()):
                continue
            chain = self.authority.certify(request, days=self.days)
            delete, add = replacement(published, chain)
            assert set(add) <= set(certificate_records(chain))
            update = dns.update.UpdateMessage(self._zone, keyring=self._keyring)
            for rdata in delete:
                update.delete(self._owner, TYPE, rdata)
            for rdata in add:
                update.add(self._owner, TTL, TYPE, rdata)
            dns.query.tcp(update, self._address[0], port=self._address[1], timeout=10)
            self.issued += 1
