"""The settings of the library."""

from gameshelf.gateway.runtime.setting_fields import HostAddress, SettingsSection, var


class LibrarySection(SettingsSection):
    """The settings of the library."""

    catalog_grpc_addr: HostAddress | None = var(
        "CATALOG_SERVICE_GRPC_ADDR", "host:port of the Catalog, for requests of missing products", None
    )
