"""The use cases of family links. They record events, for either party, and never commit.

Each one first asks for serialisation of the acting user. Decisions about what both parties may change at the same time
are made under the row lock of the link.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid4

from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.events import RecordEvent
from gameshelf.kernel.serialise import Serialise, by_advisory_lock
from gameshelf.kernel.users import ERASED_USER
from gameshelf.library._family.commands import LinkChanges, NewLink, require_scope
from gameshelf.library._family.errors import FamilyLimitExceeded, FamilyLinkInvalidState, FamilyLinkNotFound
from gameshelf.library._family.events import LinkUpdated, ShareWithdrawn
from gameshelf.library._family.rules import (
    INVITATIONS,
    LIVING,
    Action,
    Party,
    effective,
    may_invite,
    transition,
)
from gameshelf.library._family.store import Link, LinkStore, Seat, SeatStore
from gameshelf.library._models import LinkMode, LinkStatus

DEFAULT_MAX_MEMBERS = 5


class FamilyLinks:
    """Links between owners and members, over one connection inside a transaction.

    ``max_members`` bounds an owner's active and pending links, and a member's active ones. ``serialise`` lets one
    transaction at a time change a user's links: by default an advisory lock, one round trip per call.
    """

    def __init__(
        self,
        connection: Connection,
        record: RecordEvent,
        clock: Clock = utc_now,
        max_members: int = DEFAULT_MAX_MEMBERS,
        serialise: Serialise | None = None,
    ) -> None:
        self._serialise = serialise or by_advisory_lock(connection)
        self._links = LinkStore(connection)
        self._seats = SeatStore(connection)
        self._record = record
        self._clock = clock
        self._max_members = max_members

    async def invite(self, owner_id: UUID, new: NewLink, by: Party = Party.OWNER) -> Link:
        """Invites a member to play the owner's games. A pair has one link: after a refusal it is used again.

        Raises InvalidInput; FamilyLinkInvalidState for a pair that has a pending or active link, or whose link support
        ended; FamilyLimitExceeded.
        """
        now = self._clock()
        require_scope(new.mode, new.product_ids)
        if new.shared_with_user_id == owner_id:
            raise InvalidInput(Problem("share_with_oneself", pointer="shared_with_user_id"))
        _require_future(new.expires_at, now)
        await self._serialise(owner_id)
        before = await self._links.lock_pair(owner_id, new.shared_with_user_id)
        if before:
            status = effective(LinkStatus(before.status), before.expires_at, now)
            if transition(status, Action.INVITE, by) is None:
                raise _invalid(status, Action.INVITE)
            if by is Party.OWNER and not may_invite(before.invited_at, now):
                raise FamilyLimitExceeded(max_invitations=INVITATIONS)
        if await self._links.count_links(owner_id, now) >= self._max_members:
            raise FamilyLimitExceeded(max_members=self._max_members)
        link = Link(
            id=before.id if before else uuid4(),
            owner_user_id=owner_id,
            shared_with_user_id=new.shared_with_user_id,
            status=LinkStatus.PENDING,
            mode=new.mode,
            product_ids=_sorted(new.product_ids),
            expires_at=new.expires_at,
            shared_at=now,
            active_since=None,
            last_access_at=before.last_access_at if before else None,
            created_at=before.created_at if before else now,
            updated_at=now,
            invited_at=[*(before.invited_at if before else ()), now][-INVITATIONS:],
        )
        await self._write(link, before)
        if before:
            # The link may have expired a moment ago, before its seats were withdrawn; nothing else withdraws them now.
            self._withdraw(await self._seats.held_seats(owner_id, member_id=new.shared_with_user_id))
        return link

    async def accept(self, member_id: UUID, link_id: UUID) -> Link:
        """The member agrees. Raises FamilyLinkNotFound, FamilyLinkInvalidState, FamilyLimitExceeded."""
        await self._serialise(member_id)
        now = self._clock()
        link, party = await self._locked_link(member_id, link_id)
        status = self._next(link, Action.ACCEPT, party, now)
        if await self._links.count_memberships(member_id, now) >= self._max_members:
            raise FamilyLimitExceeded(max_members=self._max_members)
        accepted = replace(link, status=status, shared_at=now, active_since=now, updated_at=now)
        await self._write(accepted, link)
        return accepted

    async def decline(self, member_id: UUID, link_id: UUID) -> Link:
        """The member refuses an invitation. Raises FamilyLinkNotFound, FamilyLinkInvalidState."""
        await self._serialise(member_id)
        now = self._clock()
        link, party = await self._locked_link(member_id, link_id)
        declined = replace(link, status=self._next(link, Action.DECLINE, party, now), updated_at=now)
        await self._write(declined, link)
        return declined

    async def revoke(self, user_id: UUID, link_id: UUID, by: Party | None = None) -> Link:
        """Ends the link, by its owner or its member; ``by`` names the party where somebody else acts for the owner.

        Sessions of the member that play shared copies end at once. Raises FamilyLinkNotFound, FamilyLinkInvalidState.
        """
        await self._serialise(user_id)
        now = self._clock()
        link, party = await self._locked_link(user_id, link_id)
        status = self._next(link, Action.REVOKE, by or party, now)
        await self._end(link, status, now)
        return replace(link, status=status, updated_at=now)

    async def reopen(self, owner_id: UUID, link_id: UUID) -> Link:
        """An admin offers a link again that an admin had ended, as it was; the member has to accept.

        An ``expires_at`` that has passed is dropped. It does not count as an invitation by the owner.
        Raises FamilyLinkNotFound, FamilyLinkInvalidState, FamilyLimitExceeded.
        """
        await self._serialise(owner_id)
        now = self._clock()
        link = await self._links.lock(owner_id, link_id)
        if link is None:
            raise FamilyLinkNotFound
        status = self._next(link, Action.INVITE, Party.ADMIN, now)
        if await self._links.count_links(owner_id, now) >= self._max_members:
            raise FamilyLimitExceeded(max_members=self._max_members)
        expires_at = link.expires_at if link.expires_at and link.expires_at > now else None
        offered = replace(link, status=status, expires_at=expires_at, shared_at=now, active_since=None, updated_at=now)
        await self._write(offered, link)
        return offered

    async def change(self, owner_id: UUID, link_id: UUID, changes: LinkChanges) -> Link:
        """Changes the fields that were sent; sessions that play games which are no longer shared end at once.

        Raises FamilyLinkNotFound; FamilyLinkInvalidState of a link that has ended, and for its member; InvalidInput.
        """
        await self._serialise(owner_id)
        now = self._clock()
        link, party = await self._locked_link(owner_id, link_id)
        status = effective(LinkStatus(link.status), link.expires_at, now)
        if party is not Party.OWNER or status not in LIVING:
            raise _invalid(status, None)
        sent = changes.model_dump(include=changes.model_fields_set)
        mode = LinkMode(sent.get("mode", link.mode))
        if mode is LinkMode.ALL and "product_ids" not in sent:
            sent["product_ids"] = ()
        if "product_ids" in sent:
            require_scope(mode, sent["product_ids"])
            sent["product_ids"] = _sorted(sent["product_ids"])
        _require_future(sent.get("expires_at"), now)
        changed = replace(link, **sent)
        if changed == link:
            return link
        changed = replace(changed, updated_at=now)
        await self._write(changed, link)
        held = await self._seats.held_seats(owner_id, member_id=link.shared_with_user_id)
        self._withdraw([seat for seat in held if not changed.scope.covers(seat.product_id)])
        return changed

    async def expire(self, owner_id: UUID, link_id: UUID) -> bool:
        """Stores that a link has expired, and ends the sessions that play its copies; False when it has not expired."""
        await self._serialise(owner_id)
        now = self._clock()
        link = await self._links.lock(owner_id, link_id)
        if link is None or LinkStatus(link.status) not in LIVING:
            return False
        if effective(LinkStatus(link.status), link.expires_at, now) in LIVING:
            return False
        await self._end(link, LinkStatus.REVOKED, now)
        return True

    async def withdraw_products(self, owner_id: UUID, product_ids: Collection[UUID]) -> None:
        """Ends the sessions of members that play copies of products which the owner no longer owns."""
        self._withdraw(await self._seats.held_seats(owner_id, product_ids=product_ids))

    async def dissolve(self, user_id: UUID, owner_id: UUID, link_id: UUID) -> None:
        """Deletes a link of an account that is erased, and notifies the other party without the id of that account.

        Sessions over the link end, or their seats are freed. Does nothing where the link no longer exists. It acts on
        two users, so the caller has serialised both, in the order of their ids.
        """
        link = await self._links.lock(owner_id, link_id)
        if link is None:
            return
        now = self._clock()
        if user_id == owner_id:
            self._withdraw(await self._seats.held_seats(owner_id, member_id=link.shared_with_user_id))
            ended = replace(link, owner_user_id=ERASED_USER, status=LinkStatus.REVOKED, updated_at=now)
        else:
            await self._seats.release_all(user_id)
            ended = replace(link, shared_with_user_id=ERASED_USER, status=LinkStatus.DECLINED, updated_at=now)
        await self._links.delete(link, keep=user_id == owner_id)
        if link.status in LIVING:
            self._record_update(link.shared_with_user_id if user_id == owner_id else owner_id, ended)

    async def delete_seats(self, user_id: UUID, limit: int) -> bool:
        """Frees the seats that an erased account holds, and deletes those of its copies; True while more may exist."""
        await self._seats.release_all(user_id)
        return await self._seats.delete_some(user_id, limit) > 0

    async def _locked_link(self, user_id: UUID, link_id: UUID) -> tuple[Link, Party]:
        """Locks a link of the user and returns it with their side of it. Raises FamilyLinkNotFound."""
        link = await self._links.lock(user_id, link_id)
        if link:
            return link, Party.OWNER
        owner_id = await self._links.owner_of(user_id, link_id)
        link = await self._links.lock(owner_id, link_id) if owner_id else None
        if link is None:
            raise FamilyLinkNotFound
        return link, Party.MEMBER

    def _next(self, link: Link, action: Action, by: Party, now: datetime) -> LinkStatus:
        status = effective(LinkStatus(link.status), link.expires_at, now)
        following = transition(status, action, by)
        if following is None:
            raise _invalid(status, action)
        return following

    async def _end(self, link: Link, status: LinkStatus, now: datetime) -> None:
        await self._write(replace(link, status=status, updated_at=now), link)
        self._withdraw(await self._seats.held_seats(link.owner_user_id, member_id=link.shared_with_user_id))

    async def _write(self, link: Link, before: Link | None) -> None:
        await self._links.write(link, before)
        for user_id in (link.owner_user_id, link.shared_with_user_id):
            self._record_update(user_id, link)

    def _record_update(self, user_id: UUID, link: Link) -> None:
        self._record(
            LinkUpdated(
                user_id=user_id,
                occurred_at=link.updated_at,
                link_id=link.id,
                owner_user_id=link.owner_user_id,
                shared_with_user_id=link.shared_with_user_id,
                status=link.status,
                mode=link.mode,
                expires_at=link.expires_at,
            )
        )

    def _withdraw(self, seats: Sequence[Seat]) -> None:
        """Records that the holders of these seats have to stop. A seat is free once its session has ended."""
        for seat in seats:
            if seat.holder_user_id:
                self._record(
                    ShareWithdrawn(
                        user_id=seat.holder_user_id,
                        occurred_at=self._clock(),
                        owner_user_id=seat.owner_user_id,
                        product_ids=(seat.product_id,),
                        session_id=seat.session_id,
                    )
                )


def _invalid(status: LinkStatus, action: Action | None) -> FamilyLinkInvalidState:
    return FamilyLinkInvalidState(status=status, action=action or "change")


def _sorted(product_ids: Collection[UUID]) -> list[UUID]:
    return sorted(set(product_ids))


def _require_future(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and expires_at <= now:
        raise InvalidInput(Problem("in_the_past", pointer="expires_at"))
