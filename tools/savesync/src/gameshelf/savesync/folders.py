"""Folders that are no game's alone, as the vectors of the repository list them: keys of paths behind a placeholder."""

from collections.abc import Mapping

SAME_FOLDERS: Mapping[str, str] = {
    "<winAppData>": "appdata/roaming",
    "<winDocuments>": "documents",
    "<winLocalAppData>": "appdata/local",
    "<winLocalAppDataLow>": "appdata/locallow",
    "<xdgConfig>": ".config",
    "<xdgData>": ".local/share",
}
"""Placeholders that stand for a folder below ``<home>``."""
SHARED_FOLDERS: Mapping[str, frozenset[str]] = {
    "<home>": frozenset(
        {
            *(".cache", ".config", ".config/unity3d", ".local", ".local/share", ".local/share/flatpak"),
            *(".local/share/steam", ".local/share/steam/steamapps", ".local/share/unity3d", ".local/state", ".steam"),
            *(".steam/steam", ".var", ".var/app", ".wine", ".wine/drive_c", "appdata", "appdata/local"),
            *("appdata/local/microsoft", "appdata/local/microsoft/windows", "appdata/local/packages"),
            *("appdata/local/programs", "appdata/local/temp", "appdata/local/virtualstore", "appdata/locallow"),
            *("appdata/locallow/microsoft", "appdata/locallow/temp", "appdata/roaming", "appdata/roaming/microsoft"),
            *("appdata/roaming/microsoft/windows", "desktop", "documents", "documents/my games"),
            *("documents/saved games", "downloads", "library", "library/application support", "library/caches"),
            *("library/containers", "library/group containers", "library/preferences", "music", "my games"),
            *("onedrive", "onedrive/documents", "onedrive/documents/my games", "pictures", "public", "saved games"),
            *("snap", "videos"),
        }
    ),
    "<root>": frozenset(
        {
            *("common", "steamapps", "steamapps/common", "steamapps/compatdata", "userdata"),
        }
    ),
    "<winProgramData>": frozenset(
        {
            *("microsoft", "microsoft/windows", "packages"),
        }
    ),
    "<winPublic>": frozenset(
        {
            *("desktop", "documents", "documents/my games", "downloads"),
        }
    ),
}
"""Folders that many programs share."""
PRIVATE_FOLDERS: Mapping[str, frozenset[str]] = {
    "<home>": frozenset(
        {
            *(".aws", ".azure", ".config/autostart", ".config/chromium", ".config/gcloud", ".config/gh"),
            *(".config/google-chrome", ".config/systemd", ".docker", ".gnupg", ".kube", ".local/share/applications"),
            *(".local/share/keyrings", ".mozilla", ".password-store", ".pki", ".ssh", ".thunderbird"),
            *("appdata/local/google/chrome", "appdata/local/microsoft/credentials", "appdata/local/microsoft/edge"),
            *("appdata/local/microsoft/vault", "appdata/local/mozilla", "appdata/roaming/gnupg"),
            *("appdata/roaming/microsoft/credentials", "appdata/roaming/microsoft/crypto"),
            *("appdata/roaming/microsoft/protect", "appdata/roaming/microsoft/windows/start menu"),
            *("appdata/roaming/mozilla", "appdata/roaming/thunderbird", "library/application support/firefox"),
            *("library/application support/google/chrome", "library/cookies", "library/keychains"),
            *("library/launchagents", "library/mail", "library/messages", "library/safari"),
        }
    ),
    "<winDir>": frozenset(
        {
            *("system32", "syswow64"),
        }
    ),
    "<winProgramData>": frozenset(
        {
            *("microsoft/crypto", "microsoft/windows/start menu"),
        }
    ),
}
"""Folders with secrets, or with programs that start by themselves."""
