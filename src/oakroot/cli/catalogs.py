"""Options about the catalog zones that a primary offers (RFC 9432)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import dns.name

from oakroot.cli import CommandError, Exit
from oakroot.cli.options import domain_name
from oakroot.primary.catalogs import Offer
from oakroot.zones.catalog_zones import is_group, may_be_catalog


def add_catalog_options(group: argparse._ArgumentGroup) -> None:
    """Adds what `offers` reads."""
    group.add_argument(
        "--catalog",
        action="append",
        default=[],
        metavar="NAME[=ZONE]",
        help="offer a catalog zone of this name to those who may transfer it: it lists all zones, or ZONE "
        "and those below it; may be given again",
    )
    group.add_argument(
        "--catalog-group",
        action="append",
        default=[],
        metavar="GROUP=ZONE",
        help="the group property that catalog zones give to ZONE and the zones below it; may be given again",
    )


def offers(catalogs: Sequence[str], groups: Sequence[str]) -> tuple[Offer, ...]:
    """The catalog zones that the options ask for; CommandError."""
    grouped = tuple(map(_group, groups))
    made = [_offer(text, grouped) for text in catalogs]
    names = [offer.name for offer in made]
    for name in names:
        if names.count(name) > 1:
            raise CommandError(f"--catalog: {name} is given twice", exit_code=Exit.USAGE)
    if grouped and not made:
        raise CommandError("--catalog-group is of no use without --catalog", exit_code=Exit.USAGE)
    return tuple(made)


def _offer(text: str, groups: tuple[tuple[dns.name.Name, str], ...]) -> Offer:
    name, _, root = text.partition("=")
    try:
        offer = Offer(domain_name(name), domain_name(root or "."), groups)
    except argparse.ArgumentTypeError as error:
        raise CommandError(f"--catalog: {error}", exit_code=Exit.USAGE) from None
    if not may_be_catalog(offer.name):
        hint = "give it a name of its own that nobody asks for, such as catalog.invalid"
        message = f"--catalog: {offer.name} is no name for a catalog zone"
        raise CommandError(message, hint=hint, exit_code=Exit.USAGE)
    return offer


def _group(text: str) -> tuple[dns.name.Name, str]:
    group, mark, zone = text.partition("=")
    if not mark or not is_group(group):
        raise CommandError(f"--catalog-group: {text} is no GROUP=ZONE", exit_code=Exit.USAGE)
    try:
        return domain_name(zone), group
    except argparse.ArgumentTypeError as error:
        raise CommandError(f"--catalog-group: {error}", exit_code=Exit.USAGE) from None
