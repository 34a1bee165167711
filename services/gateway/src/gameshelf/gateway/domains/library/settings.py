"""The settings of the library."""

from gameshelf.gateway.runtime.setting_fields import Address, Section, var


class LibrarySection(Section):
    """The settings of the library."""

    catalog_grpc_addr: Address | None = var(
        "CATALOG_SERVICE_GRPC_ADDR", "host:port of the Catalog, for requests of missing products", None
    )
