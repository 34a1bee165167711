"""Refusals in the terms of support. The service's own texts address players, and name no commands."""

# By the code of the contract: what happened, and what to try next.
_CODES = {
    "SAVEGAME_SLOT_NOT_FOUND": (
        "this user has no such save",
        "libctl saves list USER, also with --trash; libctl find SAVE says whose it is",
    ),
    "SAVEGAME_VERSION_NOT_FOUND": (
        "this save has no such version, or its bytes are gone",
        "libctl saves versions USER SAVE",
    ),
    "SAVEGAME_IS_A_SET": (
        "this version is a set of files",
        "libctl saves download USER SAVE --file PATH, with a path of libctl saves files USER SAVE",
    ),
    "SAVEGAME_MERGE_SPLITS_UNIT": (
        "the sides can't be merged without mixing what belongs together",
        "libctl conflicts resolve USER CONFLICT --keep local|cloud|both",
    ),
    "CONFLICT_NOT_FOUND": (
        "this user has no such open conflict",
        "libctl conflicts list --user USER; libctl audit list --user USER shows what support has resolved; libctl find"
        " CONFLICT says whose it is",
    ),
    "SESSION_NOT_FOUND": (
        "this user has no such session",
        "libctl sessions list USER, or libctl playtime show USER; libctl find SESSION says whose it is",
    ),
    "FAMILY_LINK_NOT_FOUND": (
        "this user has no such family link",
        "libctl family list USER; libctl find LINK says whose it is",
    ),
    "ACHIEVEMENT_NOT_FOUND": ("there is no such achievement", "libctl achievements show USER PRODUCT"),
    "SETTINGS_NOT_FOUND": (
        "the layer had no such revision, or its payload is no longer kept",
        "libctl settings history USER PRODUCT; an overlay needs --platform or --device",
    ),
    "PRODUCT_ALREADY_OWNED": ("the user owns this product already", "libctl library list USER --product PRODUCT"),
}
# By the reason that stands beside a code: it says more than the code does.
_REASONS = {
    "seat_is_free": (
        "no seat of this copy is in use",
        "libctl family seats USER; the first id must be the owner's; libctl audit list --command 'family release-seat'"
        " shows what support has released",
    ),
    "corrected_already": (
        "this correction was made already",
        "libctl playtime show USER --product PRODUCT; to make it once more give another --reason",
    ),
    "erased": ("this account was erased", "libctl user show USER shows since when"),
    "no_live_grant": ("the user has no such grant, or it has ended", "libctl library list USER"),
    "unknown_to_the_catalog": ("the Catalog has not announced this product", "check the product id"),
    "unknown_order": (
        "nothing was received about this order",
        "libctl orders show ORDER --user USER looks through the dead letters of its user, too",
    ),
    "unknown_order_of_user": (
        "nothing was received about this order, and no dead letter of this user names it",
        "the number on the receipt; a correct order of some minutes ago was not published by the Payment service",
    ),
    "order_of_another_user": (
        "nothing was received about this order of this user, but of another one",
        "libctl orders show ORDER without --user",
    ),
    "no_open_upload": (
        "this user has no such open upload",
        "libctl uploads list USER; libctl find UPLOAD says whose it is",
    ),
    "no_such_file": ("this version has no such file", "libctl saves files USER SAVE"),
    "in_trash": ("the save is in the trash", "libctl saves restore USER SAVE takes it out"),
    "already_undone": ("this was already undone", "libctl audit show ENTRY"),
    "undone_since": ("what this batch has changed was undone since", "a new dry run of the list, which is a new batch"),
    "nothing_changed": ("this changed nothing, so there is nothing to undo", "libctl audit show ENTRY"),
    "no_way_back": ("this can't be undone", "libctl audit show ENTRY; then use the opposite command"),
}
# By the name of what was asked for.
_NAMES = {
    "audit_id": ("there is no such entry", "libctl audit list"),
}
_FIELDS = {
    "cursor": ("the cursor doesn't belong to this listing", "--cursor as the previous page printed it, or none"),
    "version": (
        "the version is missing or invalid",
        "--version NUMBER, one of libctl saves versions USER SAVE; only a save in the trash needs none",
    ),
    "is_pinned": ("the version can't be pinned", "libctl saves pin USER SAVE VERSION --unpin for another one first"),
    "command": ("there is no such command in the audit", "two words, such as --command 'quota set'"),
}


def worded(code: str, detail: str, context: dict[str, str], hint: str) -> tuple[str, str]:
    """Returns what happened and what to try next; ``detail`` and ``hint`` if there is no better text."""
    known = _REASONS.get(context.get("reason", "")) or _CODES.get(code)
    if known is None and code == "NOT_FOUND":
        known = next((words for name, words in _NAMES.items() if name in context), None)
    message, better = known or (detail, hint)
    return _with(message, context), better


def misused(detail: str, context: dict[str, str], hint: str) -> tuple[str, str]:
    """The same for what the service could not understand: ``detail`` is ``field: problem``."""
    known = _FIELDS.get(detail.partition(":")[0])
    message, better = (f"{known[0]} ({detail})", known[1]) if known else (detail, hint)
    return _with(message, context), better


def _with(message: str, context: dict[str, str]) -> str:
    details = ", ".join(f"{name}: {value}" for name, value in sorted(context.items()))
    return f"{message} ({details})" if details else message
