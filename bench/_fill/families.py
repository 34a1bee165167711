"""Families: links, their mirrors with the members, what is shared, and seats. A family is within a circle of users."""

from _fill.binary import DAY, NULL, Target, bigint, text, times, uuid, uuids
from _fill.draws import between, random_id
from _fill.people import Game, Person
from _fill.rows import Rows

CIRCLE = 8
"""So many users in a row may be a family: they are always in one part."""
IN_FAMILY, MOST_MEMBERS, ACTIVE, OF_ALL = 0.25, 4, 0.85, 0.8
TAKEN_SEAT = 0.1

_LINK = "status mode product_ids shared_at active_since last_access_at created_at updated_at"
FAMILY_LINKS = Target("library.family_sharing_links", f"{_LINK} owner_user_id id shared_with_user_id invited_at")
MEMBERSHIPS = Target("library.family_memberships", f"{_LINK} user_id owner_user_id id products_as_of products_since")
SHARED = Target("library.shared_products", "user_id owner_user_id product_id product_type added_at")
SEATS = Target("library.family_seats", "owner_user_id product_id seat_number")
FAMILIES = (FAMILY_LINKS, MEMBERSHIPS, SHARED, SEATS)


def add_family(rows: Rows, circle: list[Person]) -> None:
    """Adds the family of a circle, in which the first user is the owner; or none."""
    owner, *others = circle
    if not others or owner.draw.random() >= IN_FAMILY:
        return
    for member in others[: between(owner.draw, 1, MOST_MEMBERS + 1)]:
        _add_link(rows, owner, member)
    for game in owner.owned:
        if owner.draw.random() < TAKEN_SEAT:
            rows.add(SEATS, owner.key, game.product.field, bigint(between(owner.draw, 1, 50)))


def _add_link(rows: Rows, owner: Person, member: Person) -> None:
    draw = owner.draw
    is_active, link = draw.random() < ACTIVE, uuid(random_id(draw))
    invited = owner.now - between(draw, 30, 600) * DAY
    accepted, changed = bigint(invited + DAY), bigint(invited + (DAY if is_active else 20 * DAY))
    named = [] if draw.random() < OF_ALL else owner.owned[::3]
    sides = (
        text("active" if is_active else "revoked_by_owner"),
        text("only" if named else "all"),
        uuids([game.product.id for game in named]),
        accepted,
        accepted,
        accepted,
        bigint(invited),
        changed,
    )
    rows.add(FAMILY_LINKS, *sides, owner.key, link, member.key, times([invited]))
    rows.add(MEMBERSHIPS, *sides, member.key, owner.key, link, changed, accepted if is_active else NULL)
    if is_active:
        _add_shared(rows, owner, member, named or owner.owned)


def _add_shared(rows: Rows, owner: Person, member: Person, games: list[Game]) -> None:
    for game in games:
        rows.add(SHARED, member.key, owner.key, game.product.field, text(game.product.kind), bigint(game.added_at))
