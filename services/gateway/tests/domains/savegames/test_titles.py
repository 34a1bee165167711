"""Lists of saves show the titles of their games."""

from gameshelf.devstack.events import CloudEvent


async def test_saves_uploads_conflicts_and_the_quota_show_titles_and_covers(player, device, data_of, wait_until):
    titles, cover = {"ru": "Маяк", "en": "Beacon"}, "https://cdn.example/beacon.svg"
    data_of(await device.save(b"start"))
    data_of(await device.save(b"cloud"))
    assert (await device.save(b"local", base_version=1)).status_code == 409
    await device.request_upload(b"not sent yet")
    [unnamed] = (await player.get("/savegames"))["data"]
    assert (unnamed["attributes"]["title"], unnamed["attributes"]["cover_image_url"]) == (None, None)
    data = {"productId": str(device.product), "newTitle": titles, "newCoverImageUrl": cover}
    await player.publish(CloudEvent("com.platform.catalog.product.updated.v1", data))

    async def named():
        return (await player.get("/savegames"))["data"][0]["attributes"]["title"] == titles["ru"]

    await wait_until(named)
    [upload] = (await player.get("/savegames/uploads"))["data"]
    [conflict] = (await player.get("/savegames/conflicts"))["data"]
    [quota] = (await player.get("/savegames/quota"))["data"]["attributes"]["products"]
    for shown in (upload["attributes"], conflict["attributes"], quota):
        assert (shown["title"], shown["cover_image_url"]) == (titles["ru"], cover)
