"""Calls a service with the generated client: ``calls.py URL TOKEN PRODUCT``. Prints what it got as JSON."""

import json
import sys
from hashlib import sha256
from uuid import UUID, uuid4

import httpx
from gameshelf_client import AuthenticatedClient
from gameshelf_client.api.library import claim_item, create_category, get_item, list_items, update_item
from gameshelf_client.api.savegames import begin_upload, commit_upload, download_save, list_files, plan_saves
from gameshelf_client.models import (
    BeginUploadRequest,
    BeginUploadRequestData,
    ClaimItemRequest,
    ClaimItemRequestData,
    ClaimProduct,
    ConfirmedUploadDocument,
    CreateCategoryRequest,
    CreateCategoryRequestData,
    DownloadSaveRequest,
    DownloadSaveRequestData,
    DownloadSet,
    ErrorDocument,
    FileEntry,
    HiddenFilter,
    ItemChanges,
    LibraryItem,
    LibraryItemCollection,
    LibraryItemDocument,
    NewCategory,
    NewSet,
    PlanIntent,
    PlanSaves,
    PlanSavesRequest,
    PlanSavesRequestData,
    SavegameDownloadDocument,
    SavegameFileCollection,
    SavegamePlanDocument,
    SavegameUploadDocument,
    UpdateItemRequest,
    UpdateItemRequestData,
    UserCategoryDocument,
    VerifyingUploadDocument,
)

FILES = {"saves/one.dat": b"one", "saves/мир/two.dat": b"two"}


def save_files(client: AuthenticatedClient, product_id: UUID) -> dict[str, object]:
    """Saves a set of files and downloads it."""
    entries = [FileEntry(path, len(data), sha256(data).hexdigest()) for path, data in FILES.items()]
    new = NewSet(product_id=product_id, save_slot_name="world", files=entries, device_id="pc")
    begun = begin_upload.sync(client=client, body=BeginUploadRequest(BeginUploadRequestData(attributes=new)))
    assert isinstance(begun, SavegameUploadDocument), begun
    by_hash = {sha256(data).hexdigest(): data for data in FILES.values()}
    for one in begun.data.attributes.uploads:
        assert one.method
        assert one.upload_url
        headers = {name: str(value) for name, value in one.headers.to_dict().items()}
        httpx.request(one.method, one.upload_url, content=by_hash[one.sha256], headers=headers).raise_for_status()
    committed = commit_upload.sync(begun.data.id, client=client, idempotency_key=str(uuid4()))
    while isinstance(committed, VerifyingUploadDocument):
        committed = commit_upload.sync(begun.data.id, client=client, idempotency_key=str(uuid4()))
    assert isinstance(committed, ConfirmedUploadDocument), committed
    save = committed.data
    body = DownloadSaveRequest(DownloadSaveRequestData(attributes=DownloadSet()))
    found = download_save.sync(save.id, client=client, body=body)
    assert isinstance(found, SavegameDownloadDocument), found
    loaded = {file.path: httpx.get(str(file.download_url)).content for file in found.data.attributes.files}
    listed = list_files.sync(save.id, 1, client=client)
    assert isinstance(listed, SavegameFileCollection), listed
    asked = PlanSaves(product_id=product_id, device_id="deck", intent=PlanIntent.LAUNCH)
    plan = plan_saves.sync(client=client, body=PlanSavesRequest(PlanSavesRequestData(attributes=asked)))
    assert isinstance(plan, SavegamePlanDocument), plan
    return {
        "result": committed.meta.result,
        "file_count": save.attributes.file_count,
        "is_loaded": loaded == FILES,
        "paths": [file.attributes.path for file in listed.data],
        "plan": [slot.action for slot in plan.data.attributes.slots],
    }


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
        "saved": save_files(client, product_id),
    }
    print(json.dumps(got))


main(sys.argv[1], sys.argv[2], UUID(sys.argv[3]))
