"""Makes the verifier of tokens from the settings of the service."""

from gameshelf.gateway.runtime.identity.keys import KeySet, PemKeys
from gameshelf.gateway.runtime.identity.remote_keys import RemoteKeys
from gameshelf.gateway.runtime.identity.verifier import TokenVerifier
from gameshelf.gateway.runtime.settings import Settings, SettingsError


def token_verifier(settings: Settings) -> TokenVerifier | None:
    """Returns None if the settings have no issuer or no keys. Raises SettingsError for unusable keys."""
    if not (settings.jwt_issuer and settings.jwt_audience):
        return None
    try:
        if settings.jwt_public_key_file:
            keys: KeySet = PemKeys(settings.jwt_public_key_file)
        elif settings.jwks_url:
            keys = RemoteKeys(settings.jwks_url)
        else:
            return None
    except (OSError, ValueError) as error:
        raise SettingsError(f"AUTH_JWT_PUBLIC_KEY_FILE or AUTH_JWKS_URL: {error}") from None
    return TokenVerifier(keys, settings.jwt_issuer, settings.jwt_audience)
