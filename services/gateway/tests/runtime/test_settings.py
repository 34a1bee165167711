"""Settings come from the environment or a file; a bad one stops the start with a line that names it."""

import pytest
from gameshelf.gateway.configuration import FIELDS, load_settings
from gameshelf.gateway.runtime.setting_fields import SettingsSection, var
from gameshelf.gateway.runtime.setting_names import is_one_edit
from gameshelf.gateway.runtime.settings import ServiceRole, SettingsError, fields_of
from gameshelf.gateway.runtime.settings import load_settings as load_runtime_settings

SECRET = "0123456789abcdef" * 2
PASSWORD = "hunter2"


@pytest.fixture
def environ(tmp_path, monkeypatch):
    """The least that the whole service needs; from a folder without a file of settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("keys.pem", "server.pem", "server.key", "ca.pem"):
        (tmp_path / name).touch()
    return {
        "POSTGRES_DSN": f"postgresql://library:{PASSWORD}@127.0.0.1/library",
        "KAFKA_BROKERS": "127.0.0.1:9092",
        "ERASURE_HASH_KEY": SECRET,
        "AUTH_JWT_ISSUER": "issuer",
        "AUTH_JWT_AUDIENCE": "library",
        "AUTH_JWT_PUBLIC_KEY_FILE": "keys.pem",
        "GRPC_TLS_CERT_FILE": "server.pem",
        "GRPC_TLS_KEY_FILE": "server.key",
    }


def refusal(environ):
    with pytest.raises(SettingsError) as refused:
        load_settings(environ)
    return str(refused.value)


def test_the_least_is_enough_and_has_the_defaults_of_the_contract(environ):
    settings = load_settings(environ)
    assert (settings.http_port, settings.grpc_port, settings.metrics_port) == (8084, 9094, 9090)
    assert settings.roles == set(ServiceRole)
    assert (settings.limit_user, settings.limit_ip, settings.limit_service) == (600, 6000, 60000)
    assert settings.auth_mode == "jwt"
    assert settings.grpc_tls_required
    assert settings.kafka_idempotence


BAD = {
    "LIBRARY_SERVICE_HTTP_PORT": ["http", "70000", "-1", "80.5"],
    "LIBRARY_SERVICE_ROLES": ["api,cook", ","],
    "LIBRARY_SERVICE_SHUTDOWN_SECONDS": ["-1", "nan", "inf"],
    "LIBRARY_SERVICE_DRAIN_SECONDS": ["-1", "nan", "soon"],
    "LIBRARY_SERVICE_SERVER": ["uvicorn"],
    "LIBRARY_SERVICE_H2C": ["perhaps"],
    "LOG_LEVEL": ["LOUD"],
    "OTEL_EXPORTER_OTLP_ENDPOINT": ["127.0.0.1:4318", "grpc://127.0.0.1:4317"],
    "AUTH_MODE": ["none"],
    "AUTH_JWT_PUBLIC_KEY_FILE": ["absent.pem"],
    "AUTH_TRUSTED_PROXIES": [
        "10.0.0.1/8",
        "proxy.local",
        "10.0.0.0/8,*",
        "0.0.0.0/0",
        "::/0",
        "10.1.0.0/16, 128.0.0.0/1",
        "2000::/15",
        "2400::/7",
        "::ffff:0:0/96",
        "::ffff:8.0.0.0/102",
    ],
    "CORS_ALLOWED_ORIGINS": ["*", "shop.example", "https://shop.example/", "https://a b", "https://*.example"],
    "ERASURE_HASH_KEY": [SECRET[:-1], "correct horse battery staple " * 3],
    "GRPC_TLS_REQUIRED": ["perhaps"],
    "AUTH_JWT_ISSUER": ["is\tsuer"],
    "POSTGRES_DSN": [
        "postgresql://library@127.0.0.1/library\n",
        "mysql://library@127.0.0.1/library",
        f"host=127.0.0.1 password={PASSWORD}",
    ],
    "POSTGRES_POOL_SIZE": ["0"],
    "REDIS_ADDR": ["redis://127.0.0.1:6379", "127.0.0.1", "a:b", "a:0", "a:65536"],
    "REDIS_DB_LIBRARY": ["-1", "99"],
    "CATALOG_SERVICE_GRPC_ADDR": ["nonsense", "catalog:0", "catalog:70000", "http://catalog:9094"],
    "KAFKA_TOPIC_LIBRARY_EVENTS": ["bad topic!", "..", "a" * 250, "com.platform.library.dlq.v1/"],
    "KAFKA_TOPIC_LIBRARY_DLQ": ["dead letters"],
    "KAFKA_CONSUMER_GROUP_LIBRARY": ["two words"],
    "KAFKA_SASL_USERNAME": ["library\nroot", "library\u200b"],
    "KAFKA_SASL_PASSWORD": ["secret\n", " secret"],
    "REDIS_PASSWORD": ["secret\r\n", "sec\0ret"],
    "KAFKA_BROKERS": ["127.0.0.1", "127.0.0.1:9092,kafka"],
    "KAFKA_SECURITY_PROTOCOL": ["TLS"],
    "RATE_LIMIT_USER_PER_MINUTE": ["-5"],
    "S3_ENDPOINT": [
        "ftp://s3",
        "http://",
        "http://s3/path",
        "s3:9000/path",
        "http://a@s3",
        "s3:port",
        "s 3",
        "http://s3?a",
    ],
    "S3_PUBLIC_ENDPOINT": ["://s3"],
    "S3_BUCKET_SAVEGAMES": ["ab", "Saves", "a/b", "saves-"],
    "S3_REGION": ["us east"],
    "S3_PRESIGNED_URL_TTL_SECONDS": ["0", "43201"],
    "S3_SERVER_SIDE_ENCRYPTION": ["aes256"],
    "S3_SIGNED_HASH": ["sha256"],
    "S3_DELETE_GRACE_DAYS": ["-1"],
    "MAX_SAVEGAME_SIZE_BYTES": ["0", str(5 * 1024**3 + 1)],
    "USER_SAVEGAME_QUOTA_BYTES": ["0"],
    "PRODUCT_SAVEGAME_QUOTA_BYTES": ["-1"],
    "SAVEGAME_MAX_VERSIONS": ["1"],
    "SAVEGAME_TRASH_DAYS": ["-1"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_value_is_refused_in_one_line_that_names_it(environ, name, value):
    line = refusal({**environ, name: value})
    assert line.startswith(f"{name}: ")
    assert "\n" not in line


@pytest.mark.parametrize("name", ["POSTGRES_DSN", "KAFKA_BROKERS", "ERASURE_HASH_KEY", "AUTH_JWT_ISSUER"])
@pytest.mark.parametrize("form", ["absent", "", "  ", "\n"])
def test_what_is_missing_is_named(environ, name, form):
    if form != "absent":
        environ[name] = form
    else:
        del environ[name]
    assert refusal(environ).startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"AUTH_MODE": "gateway"}, "AUTH_TRUSTED_PROXIES"),
        ({"AUTH_JWKS_URL": "https://auth.example/keys"}, "AUTH_JWT_PUBLIC_KEY_FILE"),
        ({"AUTH_JWT_PUBLIC_KEY_FILE": ""}, "AUTH_JWT_PUBLIC_KEY_FILE"),
        ({"GRPC_TLS_CERT_FILE": ""}, "GRPC_TLS_CERT_FILE"),
        ({"GRPC_TLS_KEY_FILE": "", "GRPC_TLS_REQUIRED": "false"}, "GRPC_TLS_KEY_FILE"),
        ({"REDIS_ADDR": "a:1,b:2"}, "REDIS_ADDR"),
        ({"REDIS_MODE": "sentinel"}, "REDIS_SENTINEL_MASTER"),
        ({"REDIS_SENTINEL_MASTER": "library"}, "REDIS_SENTINEL_MASTER"),
        ({"REDIS_MODE": "cluster", "REDIS_DB_LIBRARY": "1"}, "REDIS_DB_LIBRARY"),
        ({"REDIS_CA_FILE": "ca.pem"}, "REDIS_CA_FILE"),
        ({"KAFKA_SSL_CERT_FILE": "server.pem", "KAFKA_SECURITY_PROTOCOL": "SSL"}, "KAFKA_SSL_CERT_FILE"),
        ({"KAFKA_SSL_CERT_FILE": "server.pem", "KAFKA_SSL_KEY_FILE": "server.key"}, "KAFKA_SECURITY_PROTOCOL"),
        ({"LIBRARY_SERVICE_GRPC_PORT": "8084"}, "LIBRARY_SERVICE_GRPC_PORT"),
        ({"LIBRARY_SERVICE_METRICS_PORT": "9094"}, "LIBRARY_SERVICE_METRICS_PORT"),
        ({"KAFKA_TOPIC_LIBRARY_DLQ": "com.platform.library.events.v1"}, "KAFKA_TOPIC_LIBRARY_DLQ"),
        ({"GRPC_SERVICE_IDENTITIES": "orders"}, "GRPC_TLS_CLIENT_CA_FILE"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_USERNAME": "library"}, "KAFKA_SASL_USERNAME"),
    ],
)
def test_what_does_not_fit_together_is_named(environ, changed, named):
    assert refusal({**environ, **changed}).startswith(f"{named}: ")


def test_a_process_needs_only_what_its_role_needs(environ):
    needed = {name: environ[name] for name in ("POSTGRES_DSN", "ERASURE_HASH_KEY")}
    assert load_settings({**needed, "LIBRARY_SERVICE_ROLES": "jobs"}).roles == {ServiceRole.JOBS}
    needed["KAFKA_BROKERS"] = "127.0.0.1:9092"
    assert load_settings({**needed, "LIBRARY_SERVICE_ROLES": "relay, consumer"}).kafka_brokers == ("127.0.0.1:9092",)


def test_a_trusted_gateway_needs_no_keys_of_tokens(environ):
    for name in ("AUTH_JWT_ISSUER", "AUTH_JWT_AUDIENCE", "AUTH_JWT_PUBLIC_KEY_FILE"):
        del environ[name]
    settings = load_settings({**environ, "AUTH_MODE": "gateway", "AUTH_TRUSTED_PROXIES": "10.1.0.0/16, ::1"})
    assert [str(network) for network in settings.trusted_proxies] == ["10.1.0.0/16", "::1/128"]


def test_a_secret_is_in_no_text_of_the_settings_and_in_no_refusal(environ):
    environ |= {"REDIS_PASSWORD": PASSWORD, "KAFKA_SASL_PASSWORD": PASSWORD}
    settings = load_settings(environ)
    assert settings.postgres_dsn.get_secret_value() == environ["POSTGRES_DSN"]
    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert PASSWORD not in text
        assert SECRET not in text
    assert PASSWORD not in refusal({**environ, "POSTGRES_DSN": f"host=127.0.0.1 password={PASSWORD}"})
    assert SECRET not in refusal({**environ, "ERASURE_HASH_KEY": SECRET + "!"})


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return {"LIBRARY_SERVICE_CONFIG": str(path)}


def test_a_file_gives_what_the_environment_leaves_out(environ, tmp_path):
    file = write(
        tmp_path / "settings.yaml",
        """
LIBRARY_SERVICE_HTTP_PORT: 8000
LIBRARY_SERVICE_GRPC_PORT: ${LIBRARY_SERVICE_GRPC_PORT:-9000}
LIBRARY_SERVICE_METRICS_PORT: ${OTHER_PORT:-9001}
GRPC_REFLECTION: false
LOG_LEVEL:
REDIS_ADDR: ${REDIS_HOST:-127.0.0.1}:${REDIS_PORT}
CORS_ALLOWED_ORIGINS: [https://a.example, https://b.example]
""",
    )
    settings = load_settings({**environ, **file, "LIBRARY_SERVICE_GRPC_PORT": "9999", "REDIS_PORT": "7000"})
    assert (settings.http_port, settings.grpc_port, settings.metrics_port) == (8000, 9999, 9001)
    assert (settings.grpc_reflection, settings.log_level) == (False, "INFO")
    assert settings.redis_addrs == ("127.0.0.1:7000",)
    assert settings.cors_allowed_origins == ("https://a.example", "https://b.example")


def test_the_environment_wins_over_the_file_unless_it_is_empty(environ, tmp_path):
    file = write(tmp_path / "settings.yaml", "LIBRARY_SERVICE_HTTP_PORT: 8000\n")
    assert load_settings({**environ, **file, "LIBRARY_SERVICE_HTTP_PORT": "8001"}).http_port == 8001
    assert load_settings({**environ, **file, "LIBRARY_SERVICE_HTTP_PORT": ""}).http_port == 8000


def test_the_file_of_the_usual_place_is_taken_without_being_named(environ, tmp_path):
    (tmp_path / "configs").mkdir()
    write(tmp_path / "configs" / "library_config.yaml", "LIBRARY_SERVICE_HTTP_PORT: 8000\n")
    assert load_settings(environ).http_port == 8000


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("LIBRARY_SERVICE_HTTP_PROT: 8000", "LIBRARY_SERVICE_HTTP_PROT"),
        ("- 1", "LIBRARY_SERVICE_CONFIG"),
        ("a: [", "LIBRARY_SERVICE_CONFIG"),
        ("", "LIBRARY_SERVICE_CONFIG"),
    ],
)
def test_a_file_that_can_not_be_meant_is_refused(environ, tmp_path, text, named):
    line = refusal({**environ, **write(tmp_path / "settings.yaml", text)})
    assert line.startswith(f"{named}: ")
    assert "\n" not in line


def test_a_file_that_is_named_must_be_there(environ):
    assert refusal({**environ, "LIBRARY_SERVICE_CONFIG": "absent.yaml"}).startswith("LIBRARY_SERVICE_CONFIG: ")


@pytest.mark.parametrize(
    "name",
    [
        "REDIS_TSL",
        "REDIS_TL",
        "REDIS_TLSS",
        "REDIS_TLX",
        "XREDIS_TLS",
        "POSTGRE_DSN",
        "KAFKA_BROKER",
        "LIBRARY_SERVICE_HTTP_PROT",
        "LIBRARY_SERVICE_WS_PORT",
        "LIBRARY_SERVICE_PORT",
    ],
)
def test_a_variable_that_is_misspelt_stops_the_start(environ, name):
    line = refusal({**environ, name: "8084"})
    assert line.startswith(f"{name}: ")
    assert "\n" not in line
    load_settings({**environ, name: ""})  # as good as absent


def edited(name):
    """The name with a letter less, one twice, one that is another, and two neighbours that changed places."""
    for at, letter in enumerate(name):
        other = "X" if letter != "X" else "Y"
        yield from (name[:at] + name[at + 1 :], name[:at] + letter + name[at:], name[:at] + other + name[at + 1 :])
        yield name[:at] + name[at : at + 2][::-1] + name[at + 2 :]


@pytest.mark.parametrize("name", FIELDS)
def test_every_misspelling_of_every_setting_stops_the_start(environ, name):
    for misspelt in {*edited(name), f"{name}S", f"_{name}"} - {name}:
        assert refusal({**environ, misspelt: "1"}).startswith(f"{misspelt}: no setting has this name; ")


def test_blanks_around_a_value_are_none_of_it(environ):
    settings = load_settings(
        {
            **environ,
            "AUTH_JWT_ISSUER": " issuer\n",
            "LIBRARY_SERVICE_HTTP_PORT": "8085 ",
            "KAFKA_BROKERS": " a:1,\n b:2\n",
            "REDIS_ADDR": " 127.0.0.1:7000\n",
            "REDIS_PASSWORD": " ",
            "REDIS_TLS": "\t",
            "GRPC_TLS_CERT_FILE": " server.pem ",
        }
    )
    assert (settings.jwt_issuer, settings.http_port, settings.kafka_brokers) == ("issuer", 8085, ("a:1", "b:2"))
    assert (settings.redis_addrs, settings.redis_password, settings.redis_tls) == (("127.0.0.1:7000",), None, False)
    assert str(settings.grpc_tls_cert_file) == "server.pem"


def test_networks_of_proxies_may_be_private_ones_of_any_form(environ):
    given = "10.0.0.0/8, fc00::/7, 2606:4700::/32, ::ffff:172.16.0.0/108, ::1"
    settings = load_settings({**environ, "AUTH_TRUSTED_PROXIES": given})
    assert [str(one) for one in settings.trusted_proxies] == [
        "10.0.0.0/8",
        "fc00::/7",
        "2606:4700::/32",
        "172.16.0.0/12",
        "::1/128",
    ]


def test_variables_of_others_are_none_of_ours(environ):
    injected = {
        "REDIS_PORT": "tcp://10.0.0.1:6379",
        "REDIS_SERVICE_HOST": "10.0.0.1",
        "KAFKA_SERVICE_HOST": "10.0.0.2",
        "POSTGRES_PORT_5432_TCP": "tcp://10.0.0.3:5432",
        "LIBRARY_SERVICE_SERVICE_HOST": "10.0.0.4",
        "LIBRARY_SERVICE_SERVICE_PORT_HTTP": "8084",
        "LIBRARY_SERVICE_PORT": "tcp://10.0.0.4:8084",
        "LIBRARY_SERVICE_PORT_8084_TCP_ADDR": "10.0.0.4",
        "redis_tsl": "true",
    }
    load_settings({**environ, **injected})


def test_no_two_settings_are_one_edit_apart():
    """Else a reader who knows only one of them would take the other for a misspelling of it."""
    names = list(FIELDS)
    assert not [(one, other) for one in names for other in names if is_one_edit(one, other)]


class Things(SettingsSection):
    most: int = var("THINGS_MOST", "How many there may be", 5)


def test_the_settings_of_a_domain_are_a_section(environ):
    assert load_runtime_settings({**environ, "THINGS_MOST": "7"}, [Things]).of(Things).most == 7
    assert load_runtime_settings(environ, [Things]).of(Things).most == 5
    for changed, message in (
        ({"THINGS_MOST": "many"}, "THINGS_MOST: Input should be a valid integer"),
        ({"THINGS_MOS": "1"}, "THINGS_MOS: no setting has this name"),
    ):
        with pytest.raises(SettingsError, match=message):
            load_runtime_settings({**environ, **changed}, [Things])


def test_two_sections_may_not_have_one_variable():
    class Others(SettingsSection):
        host: str = var("LIBRARY_SERVICE_HOST", "The runtime has it", "")

    with pytest.raises(ValueError, match="LIBRARY_SERVICE_HOST is declared twice, the second time by Others"):
        fields_of([Things, Others])
