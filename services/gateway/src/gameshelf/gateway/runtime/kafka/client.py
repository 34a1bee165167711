"""Makes the options of connections to Kafka from the settings."""

import ssl
from typing import Any

from gameshelf.gateway.runtime.settings import Settings, SettingsError


def connection_options(settings: Settings) -> dict[str, Any]:
    """Returns the options that producers and consumers share."""
    options: dict[str, Any] = {
        "bootstrap_servers": list(settings.kafka_brokers),
        "client_id": "gameshelf-gateway",
        "security_protocol": settings.kafka_security_protocol,
        "request_timeout_ms": 10_000,
    }
    if settings.kafka_security_protocol.endswith("SSL"):
        options["ssl_context"] = _tls(settings)
    if settings.kafka_security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_sasl_username
        if settings.kafka_sasl_password:
            options["sasl_plain_password"] = settings.kafka_sasl_password.get_secret_value()
    return options


def _tls(settings: Settings) -> ssl.SSLContext:
    """Loads the TLS files. Raises SettingsError for invalid ones."""
    try:
        context = ssl.create_default_context(cafile=settings.kafka_ssl_ca_file)
    except (OSError, ValueError):
        raise SettingsError("KAFKA_SSL_CA_FILE: no certificate in PEM can be read from it") from None
    if settings.kafka_ssl_cert_file:
        try:
            context.load_cert_chain(settings.kafka_ssl_cert_file, settings.kafka_ssl_key_file)
        except (OSError, ValueError):
            raise SettingsError(
                "KAFKA_SSL_CERT_FILE: it and KAFKA_SSL_KEY_FILE are not a certificate and its key"
            ) from None
    return context
