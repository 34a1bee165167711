"""The use cases by which a user changes items: one, or many at once."""

from collections.abc import Collection, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

from gameshelf.kernel.clock import Clock
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.events import RecordEvent
from gameshelf.kernel.serialise import Serialise
from gameshelf.library._commands import BulkChanges, ItemChanges
from gameshelf.library._errors import CategoryNotFound, ItemChanged, LibraryItemNotFound
from gameshelf.library._events import ItemUpdated, LibraryUpdated
from gameshelf.library._item_changes import categories_of, changes_of, edited, names_categories, unknown_category
from gameshelf.library._item_ids import masked
from gameshelf.library._queries.library import LibraryQueries
from gameshelf.library._store import CategoryStore, ItemStore, Pair, StoredItem
from gameshelf.library._views import ItemView, Language

MOST_ITEM_EVENTS = 20
"""Up to so many items that change at once have an event each; more have one event together."""
MOST_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class BulkResult:
    """The result of one of many changes; ``code`` is that of the error of a rejected one."""

    id: UUID
    result: Literal["updated", "unchanged", "rejected"]
    code: str | None = None


class ItemEdits:
    """The part of ``LibraryService`` by which a user changes items."""

    _items: ItemStore
    _categories: CategoryStore
    _queries: LibraryQueries
    _record: RecordEvent
    _clock: Clock
    _serialise: Serialise

    async def update_item(
        self,
        user_id: UUID,
        item_id: UUID,
        changes: ItemChanges,
        language: Language,
        if_match: Collection[str] | None = None,
    ) -> ItemView:
        """Changes the fields that were sent. An installation status counts as of now, on the device that ``changes``
        names or on all devices.

        A game that is uninstalled loses its version, unless ``changes`` names one. With ``if_match`` only where
        ``ItemView.state`` is one of these. Raises LibraryItemNotFound (also without access), ItemChanged,
        CategoryNotFound for a category that is not the user's, InvalidInput.
        """
        if problems := changes.problems():
            raise InvalidInput(*problems)
        await self._serialise(user_id)
        item = (await self._seen(user_id, [item_id])).get(masked(item_id))
        if item is None:
            raise LibraryItemNotFound
        if if_match is not None:
            current = await self._visible(user_id, item_id, language)
            if current.state not in if_match:
                raise ItemChanged(current=current)
        if place := unknown_category(changes, await self._existing_categories(user_id, [changes])):
            raise CategoryNotFound(pointer=place)
        for changed_item, changed in await self._edit(user_id, [(item, changes)]):
            self._changed(user_id, changed_item, **changed)
        return await self._visible(user_id, item_id, language)

    async def update_items(self, user_id: UUID, bulk: BulkChanges) -> list[BulkResult]:
        """Changes many items as ``update_item`` does; a problem with one of them rejects only that one.

        The number of round trips is the same for 1 and for 500 items. Up to 20 changed items have an ItemUpdated each,
        more have one LibraryUpdated together. Raises InvalidInput.
        """
        _require_sound(bulk)
        await self._serialise(user_id)
        seen = await self._seen(user_id, [one.id for one in bulk.items])
        existing = await self._existing_categories(user_id, bulk.items)
        codes: dict[UUID, str] = {}
        for one in bulk.items:
            if masked(one.id) not in seen:
                codes[one.id] = LibraryItemNotFound.code
            elif unknown_category(one, existing):
                codes[one.id] = CategoryNotFound.code
        edits: list[tuple[StoredItem, ItemChanges]] = [
            (seen[masked(one.id)], one) for one in bulk.items if one.id not in codes
        ]
        edited_items = await self._edit(user_id, edits)
        if len(edited_items) > MOST_ITEM_EVENTS:
            self._record(LibraryUpdated(user_id=user_id, occurred_at=self._clock(), count=len(edited_items)))
        else:
            for item, changed in edited_items:
                self._changed(user_id, item, **changed)
        updated = {item.id for item, _ in edited_items}
        return [
            BulkResult(
                one.id,
                "rejected" if one.id in codes else "updated" if seen[masked(one.id)].id in updated else "unchanged",
                codes.get(one.id),
            )
            for one in bulk.items
        ]

    async def _edit(
        self, user_id: UUID, edits: Sequence[tuple[StoredItem, ItemChanges]]
    ) -> list[tuple[StoredItem, dict[str, Any]]]:
        """Writes changes of items that the user sees; returns those that changed, each with its new values."""
        now = self._clock()
        before: dict[UUID, set[UUID]] = {}
        if sorting := [item.id for item, changes in edits if names_categories(changes)]:
            before = await self._categories.of_items(user_id, sorting)
        states: list[StoredItem] = []
        added: list[Pair] = []
        removed: list[Pair] = []
        edited_items = []
        for item, changes in edits:
            stored = edited(item, changes.model_dump(include=changes.model_fields_set), now)
            changed = changes_of(item, stored)
            if stored != item:
                states.append(stored)
            if item.id in before:
                after = categories_of(before[item.id], changes)
                added += [(item.id, category_id) for category_id in after - before[item.id]]
                removed += [(item.id, category_id) for category_id in before[item.id] - after]
                if after != before[item.id]:
                    changed["category_ids"] = sorted(map(str, after))
            if changed:
                edited_items.append((item, changed))
        if states:
            await self._items.set_state(user_id, states)
        if removed:
            await self._categories.take_out(user_id, removed)
        if added:
            await self._categories.put_in(user_id, added)
        return edited_items

    async def _seen(self, user_id: UUID, item_ids: Collection[UUID]) -> dict[UUID, StoredItem]:
        """Returns those of the items that the user sees, by masked id; creates the row of a shared game if there is
        none.
        """
        stored = {masked(item.id): item for item in await self._items.of_ids(user_id, item_ids)}
        found = {item_id: item for item_id, item in stored.items() if item.is_seen}
        missing = {masked(one) for one in item_ids} - found.keys()
        if not missing:
            return found
        # A shared game with a row is found by its stored id, one without a row by the masked id.
        known_as = [stored[one].id if one in stored else one for one in missing]
        shared = await self._queries.visible_products(user_id, known_as)
        if shared:
            made = await self._items.ensure_items(user_id, shared.values())
            found |= {masked(item.id): replace(item, is_shared=True) for item in made}
        return found

    async def _existing_categories(self, user_id: UUID, changes: Iterable[ItemChanges]) -> Set[UUID]:
        """Returns the categories to which the changes add items, as far as they are the user's."""
        named = {category_id for one in changes for category_id in (*one.category_ids, *one.add_category_ids)}
        return await self._categories.existing(user_id, named) if named else frozenset()

    def _changed(self, user_id: UUID, item: StoredItem, **changes: Any) -> None:
        if not item.is_seen:  # so there is no event
            return
        self._record(
            ItemUpdated(
                user_id=user_id,
                occurred_at=self._clock(),
                item_id=item.id,
                product_id=item.product_id,
                changes=changes,
            )
        )

    async def _visible(self, user_id: UUID, item_id: UUID, language: Language) -> ItemView:
        item = await self._queries.item(user_id, item_id, language)
        if item is None:
            raise LibraryItemNotFound
        return item


def _require_sound(bulk: BulkChanges) -> None:
    problems: list[Problem] = []
    ids: set[UUID] = set()
    for index, one in enumerate(bulk.items):
        prefix = f"items/{index}/"
        problems += one.problems(prefix)
        if masked(one.id) in ids:
            problems.append(Problem("repeated_id", pointer=f"{prefix}id"))
        ids.add(masked(one.id))
    if problems:
        raise InvalidInput(*problems[:MOST_PROBLEMS])
