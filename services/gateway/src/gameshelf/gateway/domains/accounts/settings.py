"""The settings of accounts."""

from gameshelf.gateway.runtime.setting_fields import HostAddress, SettingsSection, var


class AccountsSection(SettingsSection):
    """The settings of accounts."""

    account_grpc_addr: HostAddress | None = var(
        "ACCOUNT_SERVICE_GRPC_ADDR", "host:port of the Account service, where support looks up names and e-mails", None
    )
