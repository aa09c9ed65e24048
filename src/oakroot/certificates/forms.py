"""The records in which requests and certificates live in DNS: TLSA at `_letsencrypt._tcp.HOST`.

The forms are those of OCaml-DNS, so its tools and unikernels find what ours publish, and the other way round:

    3 255 0 DER     a signing request (255 is the selector for private use, RFC 6698 §7.3)
    3   0 0 DER     the certificate of the host
    0   0 0 DER     an authority's certificate, one record for each

Only the forms live here: that octets are a request or a certificate is for the other files to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field

from oakroot.certificates.certificate import Certificate, chain_of, matches, read_certificate
from oakroot.certificates.rejected import RejectedError
from oakroot.certificates.signing_request import SigningRequest, read_signing_request
from oakroot.frozen import frozen

TTL = 3600
TYPE = "TLSA"

_REQUEST = "3 255 0"
_CERTIFICATE = "3 0 0"
_AUTHORITY = "0 0 0"
_FORM_FIELDS = 3
# RFC 1035 §3.2.1: RDLENGTH is 16 bits, three octets of it are the form.
_DATA_LIMIT = 65535 - _FORM_FIELDS


@frozen
class Published:
    """The TLSA records of one host, sorted by form; `other` records are somebody else's, and stay."""

    requests: tuple[bytes, ...] = field(default=(), repr=False)
    certificates: tuple[bytes, ...] = field(default=(), repr=False)
    authorities: tuple[bytes, ...] = field(default=(), repr=False)
    other: tuple[str, ...] = ()

    def request(self) -> SigningRequest | None:
        """The request, if there is one; raises RejectedError where it is no good, or there are several."""
        if len(self.requests) > 1:
            raise RejectedError(
                "request-several",
                f"{len(self.requests)} requests are published at one name",
                "delete those that are out of date: `oakroot certify --force` leaves one",
            )
        return read_signing_request(self.requests[0]) if self.requests else None

    def chain_for(self, request: SigningRequest) -> tuple[Certificate, ...]:
        """The certificate that matches the request, and its authorities in order; empty where there is none.

        Of several the one that is valid longest. Whether it is valid today is the caller's question.
        """
        matching = [found for found in _readable(self.certificates) if matches(found, request)]
        if not matching:
            return ()
        certificate = max(matching, key=lambda found: found.not_after)
        return (certificate, *chain_of(certificate, _readable(self.authorities)))


def read_records(rdatas: Iterable[str]) -> Published:
    """Sorts the RDATA of a TLSA record set by form; raises RejectedError for text that is no TLSA."""
    found: dict[str, list[bytes]] = {_REQUEST: [], _CERTIFICATE: [], _AUTHORITY: []}
    other = []
    for rdata in rdatas:
        form, data = _read(rdata)
        if form in found:
            found[form].append(data)
        else:
            other.append(rdata)
    # A record set has no order (RFC 2181 §5); a value has one, so that equal sets are equal values.
    requests, certificates, authorities = (tuple(sorted(found[form])) for form in found)
    return Published(requests, certificates, authorities, tuple(sorted(other)))


def request_record(request: SigningRequest) -> str:
    """The RDATA that asks for a certificate; raises RejectedError if it is too large for DNS."""
    return _write(_REQUEST, request.der)


def certificate_records(chain: Sequence[Certificate]) -> tuple[str, ...]:
    """The RDATA of a certificate and of the authorities behind it; raises RejectedError if too large."""
    host, *authorities = chain
    return (
        _write(_CERTIFICATE, host.der),
        *dict.fromkeys(_write(_AUTHORITY, authority.der) for authority in authorities),
    )


def replacement(
    published: Published, chain: Sequence[Certificate]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(RDATA to delete, RDATA to add) that put a new chain in the old one's place and touch nothing else."""
    new = certificate_records(chain)
    old = {
        *(_write(_CERTIFICATE, data) for data in published.certificates),
        *(_write(_AUTHORITY, data) for data in published.authorities),
    }
    return tuple(sorted(old.difference(new))), tuple(rdata for rdata in new if rdata not in old)


def request_replacement(
    published: Published, request: SigningRequest, *, renew: bool = False
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(RDATA to delete, RDATA to add) that leave this as the one request; nothing to add where it is there.

    A certificate that is there stays, whatever request it was for: somebody may be using it, and a certifier
    replaces it. With `renew` it goes, so that a certifier orders another one.
    """
    same = [der for der in published.requests if _asks_the_same(der, request)]
    old = [_write(_REQUEST, der) for der in published.requests if der not in same[:1]]
    if renew:
        old += [_write(_CERTIFICATE, data) for data in published.certificates]
        old += [_write(_AUTHORITY, data) for data in published.authorities]
    return tuple(old), () if same else (request_record(request),)


def _asks_the_same(der: bytes, request: SigningRequest) -> bool:
    """Whether a request has the same key and names; its signature differs each time it is made."""
    try:
        other = read_signing_request(der)
    except RejectedError:
        return False
    return (other.public_key, other.names) == (request.public_key, request.names)


def _read(rdata: str) -> tuple[str, bytes]:
    fields = rdata.split()
    if len(fields) <= _FORM_FIELDS:
        raise RejectedError("record", "a TLSA record has no data")
    try:
        # Leading zeros are lawful in zone text: `003 255 0` is the same form.
        form = " ".join(str(int(number)) for number in fields[:_FORM_FIELDS])
        return form, bytes.fromhex("".join(fields[_FORM_FIELDS:]))
    except ValueError:
        raise RejectedError("record", "a TLSA record is not three numbers and hexadecimal data") from None


def _write(form: str, data: bytes) -> str:
    if len(data) > _DATA_LIMIT:
        raise RejectedError("record-size", f"{len(data)} octets do not fit into one record, {_DATA_LIMIT} do")
    return f"{form} {data.hex().upper()}"


def _readable(ders: Iterable[bytes]) -> list[Certificate]:
    """The certificates among them: garbage published beside a good one takes nothing from it."""
    certificates = []
    for der in ders:
        try:
            certificates.append(read_certificate(der))
        except RejectedError:
            continue
    return certificates
