"""The use cases of a user's categories."""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID, uuid4

from gameshelf.kernel.clock import Clock
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.events import RecordEvent
from gameshelf.kernel.folding import fold_name
from gameshelf.kernel.serialise import Serialise
from gameshelf.library._commands import MAX_CATEGORIES, CategoryChanges, NewCategory
from gameshelf.library._errors import CategoryAlreadyExists, CategoryNotFound
from gameshelf.library._events import CategoryUpdated
from gameshelf.library._queries.library import LibraryQueries
from gameshelf.library._store import CategoryStore, StoredCategory
from gameshelf.library._views import CategoryView


class CategoryUseCases:
    """The part of ``LibraryService`` for categories. Names are unique by their folded form."""

    _categories: CategoryStore
    _queries: LibraryQueries
    _record: RecordEvent
    _clock: Clock
    _serialise: Serialise

    async def create_category(self, user_id: UUID, new: NewCategory) -> CategoryView:
        """Creates a category. Raises CategoryAlreadyExists, and InvalidInput (``too_many_categories``) beyond 200."""
        await self._serialise(user_id)
        existing = await self._categories.user_categories(user_id)
        if len(existing) >= MAX_CATEGORIES:
            raise InvalidInput(Problem("too_many_categories", pointer="", params={"max": MAX_CATEGORIES}))
        _require_new_name(new.name, existing)
        await self._categories.settle_keys(user_id, existing)
        category_id = uuid4()
        if not await self._categories.insert(user_id, category_id, new.name, new.display_order):
            raise CategoryAlreadyExists(pointer="name")
        return await self._recorded_category(user_id, category_id)

    async def update_category(self, user_id: UUID, category_id: UUID, changes: CategoryChanges) -> CategoryView:
        """Changes the fields that were sent. Raises CategoryNotFound, CategoryAlreadyExists."""
        await self._serialise(user_id)
        existing = await self._categories.user_categories(user_id)
        category = next((one for one in existing if one.id == category_id), None)
        if category is None:
            raise CategoryNotFound
        changed = replace(category, **changes.model_dump(include=changes.model_fields_set))
        if changed == category:
            return await self._category(user_id, category_id)
        if changed.name != category.name:
            _require_new_name(changed.name, [one for one in existing if one.id != category_id])
        await self._categories.update(user_id, category_id, changed.name, changed.display_order)
        written = [replace(changed, name_key=None) if one.id == category_id else one for one in existing]
        await self._categories.settle_keys(user_id, written)
        return await self._recorded_category(user_id, category_id)

    async def delete_category(self, user_id: UUID, category_id: UUID) -> None:
        """Deletes a category; its games stay in the library. Raises CategoryNotFound."""
        await self._serialise(user_id)
        category = next((one for one in await self._categories.user_categories(user_id) if one.id == category_id), None)
        if category is None or not await self._categories.delete(user_id, category_id):
            raise CategoryNotFound
        self._record_category(user_id, category_id, category.name, category.display_order, is_deleted=True)

    async def settle_category_keys(self, user_id: UUID) -> None:
        """Stores the folded names of a user's categories that another version has created or renamed."""
        await self._serialise(user_id)
        await self._categories.settle_keys(user_id, await self._categories.user_categories(user_id))

    async def _recorded_category(self, user_id: UUID, category_id: UUID) -> CategoryView:
        category = await self._category(user_id, category_id)
        self._record_category(user_id, category_id, category.name, category.display_order)
        return category

    def _record_category(
        self, user_id: UUID, category_id: UUID, name: str, display_order: int, *, is_deleted: bool = False
    ) -> None:
        self._record(
            CategoryUpdated(
                user_id=user_id,
                occurred_at=self._clock(),
                category_id=category_id,
                name=name,
                display_order=display_order,
                is_deleted=is_deleted,
            )
        )

    async def _category(self, user_id: UUID, category_id: UUID) -> CategoryView:
        category = await self._queries.category(user_id, category_id)
        if category is None:
            raise CategoryNotFound
        return category


def _require_new_name(name: str, existing: Iterable[StoredCategory]) -> None:
    key = fold_name(name)
    if any(one.key == key for one in existing):
        raise CategoryAlreadyExists(pointer="name")
