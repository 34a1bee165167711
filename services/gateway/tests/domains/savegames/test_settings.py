"""The settings of cloud saves, and the combinations that are refused."""

import pytest
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.domains.savegames.settings import SavegameSection
from gameshelf.gateway.runtime.settings import SettingsError

SECRET = "0123456789abcdef" * 2
JOBS = {
    "POSTGRES_DSN": "postgresql://library@127.0.0.1/library",
    "ERASURE_HASH_KEY": SECRET,
    "LIBRARY_SERVICE_ROLES": "jobs",
}
STORE = {
    "S3_ENDPOINT": "s3.example:9000",
    "S3_ACCESS_KEY_ID": "library",
    "S3_SECRET_ACCESS_KEY": SECRET,
    "S3_BUCKET_SAVEGAMES": "saves",
}


def section_of(environ):
    return load_settings(environ).of(SavegameSection)


def refusal(environ):
    with pytest.raises(SettingsError) as refused:
        load_settings(environ)
    return str(refused.value)


def test_the_defaults_are_those_of_the_contract():
    settings = section_of(JOBS)
    assert (settings.s3_bucket, settings.s3_url, settings.s3_public_url) == (None, None, None)
    assert (settings.s3_region, settings.s3_url_ttl_seconds, settings.s3_delete_grace_days) == ("us-east-1", 300, 30)
    assert settings.s3_server_side_encryption == "none"
    assert (settings.savegame_max_bytes, settings.savegame_quota_bytes) == (50 * 1024**2, 1024**3)
    assert (settings.savegame_product_quota_bytes, settings.savegame_max_set_bytes) == (0, 1024**3)
    assert (settings.savegame_max_versions, settings.savegame_trash_days) == (10, 30)


def test_the_secret_key_is_in_no_text_of_the_settings():
    settings = section_of({**JOBS, **STORE})
    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert SECRET not in text


@pytest.mark.parametrize("name", ["S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "S3_BUCKET_SAVEGAMES"])
def test_a_part_of_the_settings_of_an_object_store_is_refused(name):
    assert refusal({**JOBS, **STORE, name: ""}).startswith(f"{name}: ")
    for alone in {*STORE, "S3_PUBLIC_ENDPOINT"} - {name, "S3_BUCKET_SAVEGAMES"}:
        set_alone = {alone: STORE.get(alone, "saves.example")}
        assert refusal({**JOBS, **set_alone}).startswith("S3_BUCKET_SAVEGAMES: ")


def test_urls_signed_by_an_instance_role_end_before_its_keys_do():
    role = {**STORE, "S3_ACCESS_KEY_ID": "", "S3_SECRET_ACCESS_KEY": ""}
    assert section_of({**JOBS, **role}).s3_access_key_id is None
    assert section_of({**JOBS, **role, "S3_PRESIGNED_URL_TTL_SECONDS": "600"}).s3_url_ttl_seconds == 600
    line = refusal({**JOBS, **role, "S3_PRESIGNED_URL_TTL_SECONDS": "601"})
    assert line.startswith("S3_PRESIGNED_URL_TTL_SECONDS: ")


@pytest.mark.parametrize(
    ("endpoint", "tls", "url"),
    [
        ("s3.example:9000", "", "https://s3.example:9000"),
        ("s3.example", "true", "https://s3.example"),
        ("127.0.0.1:9000", "false", "http://127.0.0.1:9000"),
        ("http://127.0.0.1:9000/", "true", "http://127.0.0.1:9000"),
        ("https://[::1]:9000", "false", "https://[::1]:9000"),
        ("", "", None),
    ],
)
def test_the_stores_address_or_the_switch_decides_about_tls(endpoint, tls, url):
    settings = section_of({**JOBS, **STORE, "S3_ENDPOINT": endpoint, "S3_USE_SSL": tls})
    assert (settings.s3_url, settings.s3_public_url) == (url, url)


def test_clients_may_use_another_address_of_the_object_store():
    settings = section_of({**JOBS, **STORE, "S3_PUBLIC_ENDPOINT": "http://saves.example"})
    assert (settings.s3_url, settings.s3_public_url) == ("https://s3.example:9000", "http://saves.example")


def test_a_set_may_be_as_large_as_a_file_at_least():
    limits = section_of({**JOBS, "MAX_SAVEGAME_SIZE_BYTES": "700", "MAX_SAVEGAME_SET_BYTES": "700"}).limits
    assert (limits.max_bytes, limits.max_set_bytes) == (700, 700)
    line = refusal({**JOBS, "MAX_SAVEGAME_SIZE_BYTES": "701", "MAX_SAVEGAME_SET_BYTES": "700"})
    assert line.startswith("MAX_SAVEGAME_SET_BYTES: ")
    five = str(5 * 1024**3)
    assert refusal({**JOBS, "MAX_SAVEGAME_SIZE_BYTES": five}).startswith("MAX_SAVEGAME_SET_BYTES: ")
    above = {"MAX_SAVEGAME_SIZE_BYTES": str(5 * 1024**3 + 1), "MAX_SAVEGAME_SET_BYTES": str(1024**4)}
    assert "MAX_SAVEGAME_SIZE_BYTES" in refusal({**JOBS, **above})
