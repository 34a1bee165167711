"""Calls a service with the generated client: ``calls.py URL TOKEN PRODUCT``. Prints what it got as JSON."""

import json
import sys
from uuid import UUID, uuid4

from gameshelf_client import AuthenticatedClient
from gameshelf_client.api.library import claim_item, create_category, get_item, list_items, update_item
from gameshelf_client.models import (
    ClaimItemRequest,
    ClaimItemRequestData,
    ClaimProduct,
    CreateCategoryRequest,
    CreateCategoryRequestData,
    ErrorDocument,
    HiddenFilter,
    ItemChanges,
    LibraryItem,
    LibraryItemCollection,
    LibraryItemDocument,
    NewCategory,
    UpdateItemRequest,
    UpdateItemRequestData,
    UserCategoryDocument,
)


def main(url: str, token: str, product_id: UUID) -> None:
    client = AuthenticatedClient(base_url=url, token=token)
    listed = list_items.sync(client=client, product_ids=[product_id], accept_language="en")
    assert isinstance(listed, LibraryItemCollection)
    [item] = listed.data
    assert isinstance(item, LibraryItem)
    created = create_category.sync(
        client=client,
        body=CreateCategoryRequest(CreateCategoryRequestData(attributes=NewCategory(name="Puzzles"))),
        idempotency_key=str(uuid4()),
    )
    assert isinstance(created, UserCategoryDocument)
    changes = ItemChanges(is_hidden=True, category_ids=[created.data.id])
    changed = update_item.sync(item.id, client=client, body=UpdateItemRequest(UpdateItemRequestData(changes)))
    assert isinstance(changed, LibraryItemDocument)
    hidden = list_items.sync(client=client, include_hidden=HiddenFilter.ONLY)
    assert isinstance(hidden, LibraryItemCollection)
    absent = get_item.sync(uuid4(), client=client)
    assert isinstance(absent, ErrorDocument)
    claim = ClaimItemRequest(ClaimItemRequestData(attributes=ClaimProduct(product_id=uuid4())))
    refused = claim_item.sync(client=client, body=claim, idempotency_key=str(uuid4()))
    assert isinstance(refused, ErrorDocument)
    got = {
        "product_id": str(item.attributes.product_id),
        "acquisition_type": item.attributes.acquisition_type,
        "category": created.data.attributes.name,
        "is_hidden": changed.data.attributes.is_hidden,
        "hidden": [str(each.attributes.product_id) for each in hidden.data],
        "absent": absent.errors[0].code,
        "refused": bool(refused.errors[0].title),
    }
    print(json.dumps(got))


main(sys.argv[1], sys.argv[2], UUID(sys.argv[3]))
