"""Error codes and rules of cloud saves: statuses on each wire, and texts in Russian and English."""

from collections.abc import Mapping

from gameshelf.gateway.domains.savegames.errors_policies import POLICY_RULES
from gameshelf.gateway.runtime.errors import Code

CODES: Mapping[str, Code] = {
    "SAVEGAME_SLOT_NOT_FOUND": Code(
        404,
        "NOT_FOUND",
        ("Сохранение не найдено", "Save not found"),
        ("У вас нет такого сохранения.", "You have no such save."),
    ),
    "SAVEGAME_VERSION_NOT_FOUND": Code(
        404,
        "NOT_FOUND",
        ("Версия сохранения не найдена", "Version of the save not found"),
        (
            "Такой версии или загрузки нет, или её данные уже удалены.",
            "There is no such version or upload, or its bytes are gone.",
        ),
    ),
    "CONFLICT_NOT_FOUND": Code(
        404,
        "NOT_FOUND",
        ("Конфликт не найден", "Conflict not found"),
        ("У вас нет такого открытого конфликта.", "You have no such open conflict."),
    ),
    "SAVEGAME_VERSION_CONFLICT": Code(
        409,
        "FAILED_PRECONDITION",
        ("Конфликт версий сохранения", "The versions of the save conflict"),
        (
            "Сохранение изменилось на другом устройстве; обе стороны сохранены и описаны в meta, выберите одну.",
            "The save has changed on another device; both sides are kept and described in meta, choose one.",
        ),
    ),
    "SAVEGAME_IS_A_SET": Code(
        409,
        "FAILED_PRECONDITION",
        ("Сохранение состоит из файлов", "The save is a set of files"),
        (
            "У набора файлов нет одного адреса: скачайте его через /download.",
            "A set of files has no single URL: download it by /download.",
        ),
    ),
    "SAVEGAME_SHRINKS": Code(
        409,
        "FAILED_PRECONDITION",
        ("Из сохранения пропадает много файлов", "Many files of the save would be removed"),
        (
            "Новая версия теряет большую часть файлов или целую единицу; подтвердите это числом meta.removed "
            "в confirm_removals.",
            "The new version lacks most of the files, or a whole unit; to confirm, send confirm_removals with the "
            "number in meta.removed.",
        ),
    ),
    "SAVEGAME_BASE_NOT_SYNCED": Code(
        409,
        "FAILED_PRECONDITION",
        ("Устройство не получало базовую версию", "The device never had the base version"),
        (
            "Устройство не загружало и не скачивало версию, которую назвало основой; сначала скачайте её.",
            "The device has neither uploaded nor downloaded the version that it names as its base; download it first.",
        ),
    ),
    "SAVEGAME_POLICY_CHANGED": Code(
        409,
        "FAILED_PRECONDITION",
        ("Правила сохранений изменились", "The policy of the saves has changed"),
        (
            "Соберите файлы заново по новым правилам продукта из meta.policy.",
            "Collect the files again by the product's new policy in meta.policy.",
        ),
    ),
    "SAVEGAME_MERGE_SPLITS_UNIT": Code(
        409,
        "FAILED_PRECONDITION",
        ("Версии нельзя слить", "The versions cannot be merged"),
        (
            "Слияние смешало бы файлы, которые принадлежат друг другу; выберите одну сторону целиком.",
            "A merge would mix files that belong together; choose one side as a whole.",
        ),
    ),
    "SAVEGAME_FILE_TOO_LARGE": Code(
        413,
        "RESOURCE_EXHAUSTED",
        ("Слишком большое сохранение", "The save is too large"),
        (
            "Файл или набор больше, чем допустимо; предел в meta.max_bytes или meta.max_files.",
            "The file or the set is larger than allowed; the limit is meta.max_bytes or meta.max_files.",
        ),
    ),
    "USER_QUOTA_EXCEEDED": Code(
        422,
        "RESOURCE_EXHAUSTED",
        ("Превышена квота облачных сохранений", "The quota of cloud saves is exceeded"),
        (
            "Места нет: удалите ненужные сохранения; что исчерпано, сказано в meta.limit.",
            "There is no room: delete saves that you don't need; meta.limit names the exhausted limit.",
        ),
    ),
    "SAVEGAME_UPLOAD_INCOMPLETE": Code(
        422,
        "FAILED_PRECONDITION",
        ("Загрузка не завершена", "The upload is incomplete"),
        (
            "Файл ещё не загружен: отправьте его по выданному адресу и подтвердите снова.",
            "Nothing has been uploaded yet: send the file to the given URL, and confirm again.",
        ),
    ),
    "SAVEGAME_HASH_MISMATCH": Code(
        422,
        "FAILED_PRECONDITION",
        ("Загружен другой файл", "Another file was uploaded"),
        (
            "Размер или хеш файла не совпадает с заявленным; запросите новый адрес и загрузите файл заново.",
            "The file's size or hash differs from the announced one; request a new URL and upload it again.",
        ),
    ),
}

RULES: Mapping[str, tuple[str, str]] = {
    "slot_name": ("В имени не может быть папки «..».", "The name may not have '..' as a folder."),
    "raw_needs_encoding": (
        "Для raw_sha256 нужен content_encoding: identity, gzip или zstd.",
        "raw_sha256 needs content_encoding identity, gzip or zstd.",
    ),
    "raw_of_encrypted": (
        "Для зашифрованных данных укажите encryption.identity вместо raw_sha256.",
        "For encrypted bytes give encryption.identity instead of raw_sha256.",
    ),
    "raw_size_of_identity": (
        "Данные не упакованы: raw_size_bytes равен размеру файла.",
        "The bytes are not packed: raw_size_bytes is the size of the file.",
    ),
    "raw_too_large": (
        "Распакованный размер больше допустимого: {max} байт.",
        "The uncompressed size exceeds the limit of {max} bytes.",
    ),
    "slot_name_taken": ("Сохранение с таким именем уже есть.", "There is a save of this name already."),
    "size_of_known_content": (
        "Содержимое с этим хешем имеет другой размер.",
        "The content with this hash has another size.",
    ),
    "path_empty": ("Путь не может быть пустым.", "A path may not be empty."),
    "path_too_long": ("В пути больше 1024 знаков.", "The path has more than 1024 characters."),
    "path_absolute": ("Путь не может начинаться с «/».", "A path may not begin with '/'."),
    "path_part_empty": ("В пути есть пустое имя.", "A part of the path is empty."),
    "path_part_dots": ("В пути не может быть «.» и «..».", "A path may not have the parts '.' and '..'."),
    "path_part_too_long": ("Имя в пути длиннее 255 знаков.", "A part of the path has more than 255 characters."),
    "path_control": ("В пути есть управляющий символ.", "The path has a control character."),
    "path_character": (
        'Символы < > : " | ? * \\ в пути недопустимы.',
        'A path may not have the characters < > : " | ? * \\.',
    ),
    "path_reserved": ("Имя в пути зарезервировано в Windows.", "A part of the path is a reserved name of Windows."),
    "path_end": (
        "Имя в пути не может кончаться точкой или пробелом.",
        "A part of a path may not end with a dot or a space.",
    ),
    "path_taken": (
        "Для систем без учёта регистра это тот же путь, что {path} ({other}).",
        "For a system that ignores case this is the same path as {path} ({other}).",
    ),
    "path_is_folder": (
        "Этот файл был бы папкой для {path} ({other}).",
        "This file would be a folder of {path} ({other}).",
    ),
    "path_against_policy": (
        "По правилам продукта этот файл не сохраняется.",
        "The product's policy does not save this file.",
    ),
    "delta_beside_files": (
        "Нужно одно из двух: files, или put и remove с set_sha256 и base_version.",
        "Give either files, or put and remove with set_sha256 and base_version.",
    ),
    "set_is_empty": (
        "В наборе должен быть хотя бы один файл; чтобы убрать сохранение, удалите его.",
        "A set needs a file; to remove the save, delete it.",
    ),
    "part_count": ("Нужно хешей частей: {count}.", "{count} hashes of parts are expected."),
    "said_twice": ("Этот путь назван дважды.", "This path is named twice."),
    "said_differently": (
        "Содержимое с этим хешем описано в списке по-разному.",
        "The list describes the content with this hash in two ways.",
    ),
    "not_in_base": ("В базовой версии нет такого файла.", "The base version has no such file."),
    "merge_unnamed": (
        "Выберите сторону для каждой из этих единиц: {unnamed}.",
        "Choose a side for each of these units: {unnamed}.",
    ),
    "merge_empty": ("После слияния не осталось бы файлов.", "No file would be left after the merge."),
    "no_unit": ("В сохранении нет такой единицы.", "The save has no such unit."),
    "not_a_set": ("Единицы есть только у наборов файлов.", "Only sets of files have units."),
    "units_without_merge": ("Поле units нужно только для merge.", "units belongs to merge alone."),
    "slot_named_twice": (
        "Это то же сохранение, что {other}.",
        "This is the same save as {other}.",
    ),
    "too_many_pinned": ("Закрепить можно не больше {max} версий.", "At most {max} versions can be pinned."),
    **POLICY_RULES,
}
"""Rule → message when it is broken, in Russian and English."""
