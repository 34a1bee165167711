"""Every code of the contract: its HTTP status, its gRPC status, and its words in two languages. The one table."""

import re
from dataclasses import dataclass
from typing import Literal

from gameshelf.kernel.errors import DomainError

Language = Literal["ru", "en"]


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means on each wire. Texts are ``(ru, en)``; ``grpc`` is the name of the status."""

    http: int
    grpc: str
    title: tuple[str, str]
    detail: tuple[str, str]

    def titled(self, language: Language) -> str:
        return self.title[language == "en"]

    def detailed(self, language: Language) -> str:
        return self.detail[language == "en"]


CODES: dict[str, Code] = {
    "VALIDATION_ERROR": Code(
        400,
        "INVALID_ARGUMENT",
        ("Ошибка валидации", "Validation error"),
        ("Запрос содержит недопустимые значения.", "The request holds values that are not allowed."),
    ),
    "MALFORMED_JSON": Code(
        400,
        "INVALID_ARGUMENT",
        ("Некорректный JSON", "Malformed JSON"),
        ("Тело запроса не является корректным JSON в UTF-8.", "The body is not valid JSON in UTF-8."),
    ),
    "UNAUTHENTICATED": Code(
        401,
        "UNAUTHENTICATED",
        ("Ошибка аутентификации", "Authentication failed"),
        (
            "Необходима аутентификация для доступа к этому ресурсу.",
            "A valid token is needed to access this resource.",
        ),
    ),
    "PERMISSION_DENIED": Code(
        403,
        "PERMISSION_DENIED",
        ("Доступ запрещён", "Permission denied"),
        ("У вас нет доступа к этому продукту или действию.", "You have no access to this product or action."),
    ),
    "NOT_FOUND": Code(
        404,
        "NOT_FOUND",
        ("Не найдено", "Not found"),
        ("Запрошенный ресурс не найден.", "The requested resource was not found."),
    ),
    "LIBRARY_ITEM_NOT_FOUND": Code(
        404,
        "NOT_FOUND",
        ("Элемент библиотеки не найден", "Library item not found"),
        ("В вашей библиотеке нет такого элемента.", "There is no such item in your library."),
    ),
    "CATEGORY_NOT_FOUND": Code(
        404,
        "NOT_FOUND",
        ("Категория не найдена", "Category not found"),
        ("У вас нет такой категории.", "You have no such category."),
    ),
    "SESSION_NOT_FOUND": Code(
        404,
        "NOT_FOUND",
        ("Игровая сессия не найдена", "Session not found"),
        ("У вас нет такой игровой сессии.", "You have no such session."),
    ),
    "ACHIEVEMENT_NOT_FOUND": Code(
        404,
        "NOT_FOUND",
        ("Достижение не найдено", "Achievement not found"),
        ("Такого достижения нет.", "There is no such achievement."),
    ),
    "GAME_NOT_FOUND_IN_WISHLIST": Code(
        404,
        "NOT_FOUND",
        ("Игра не найдена в списке желаемого", "Game not found in the wishlist"),
        ("В вашем списке желаемого нет такого элемента.", "There is no such item on your wishlist."),
    ),
    "WISHLIST_ITEM_ALREADY_EXISTS": Code(
        409,
        "ALREADY_EXISTS",
        ("Уже в списке желаемого", "Already on the wishlist"),
        ("Этот продукт уже в вашем списке желаемого.", "This product is on your wishlist already."),
    ),
    "WISHLIST_LIMIT_EXCEEDED": Code(
        422,
        "RESOURCE_EXHAUSTED",
        ("Список желаемого заполнен", "The wishlist is full"),
        ("Удалите что-нибудь из списка желаемого.", "Remove something from your wishlist first."),
    ),
    "FAMILY_LINK_NOT_FOUND": Code(
        404,
        "NOT_FOUND",
        ("Семейная связь не найдена", "Family link not found"),
        ("У вас нет такой семейной связи.", "You have no such family link."),
    ),
    "FAMILY_ACCESS_RESTRICTED": Code(
        403,
        "PERMISSION_DENIED",
        ("Семейный доступ ограничен", "Family access restricted"),
        (
            "Семейная связь не даёт доступа к этой игре; причина в meta.reason.",
            "The family link does not give access to this game; meta.reason says why.",
        ),
    ),
    "FAMILY_SHARING_LINK_INVALID_STATE": Code(
        409,
        "FAILED_PRECONDITION",
        ("Недопустимое состояние семейной связи", "Invalid state of the family link"),
        ("В этом состоянии связи действие невозможно.", "The link's state does not allow this."),
    ),
    "FAMILY_SEAT_BUSY": Code(
        409,
        "FAILED_PRECONDITION",
        ("Копия занята", "Seat busy"),
        ("В эту копию сейчас играет другой.", "Somebody else plays this copy now."),
    ),
    "FAMILY_SEAT_LOST": Code(
        409,
        "FAILED_PRECONDITION",
        ("Место потеряно", "Seat lost"),
        ("В игру играет владелец; ваша сессия завершена.", "The owner plays; your session has ended."),
    ),
    "FAMILY_LIMIT_EXCEEDED": Code(
        422,
        "RESOURCE_EXHAUSTED",
        ("Достигнут предел семейного доступа", "Family limit exceeded"),
        (
            "Больше связей или приглашений пока нельзя.",
            "There are as many links or invitations as there may be for now.",
        ),
    ),
    "SETTINGS_NOT_FOUND": Code(
        404,
        "NOT_FOUND",
        ("Настройки не найдены", "Settings not found"),
        ("У этой игры нет таких настроек.", "There are no such settings of this game."),
    ),
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
    "SAVEGAME_FILE_TOO_LARGE": Code(
        413,
        "RESOURCE_EXHAUSTED",
        ("Слишком большое сохранение", "The save is too large"),
        ("Файл больше, чем допустимо; предел в meta.max_bytes.", "The file is larger than meta.max_bytes."),
    ),
    "USER_QUOTA_EXCEEDED": Code(
        422,
        "RESOURCE_EXHAUSTED",
        ("Превышена квота облачных сохранений", "The quota of cloud saves is exceeded"),
        (
            "Места нет: удалите ненужные сохранения; что исчерпано, сказано в meta.limit.",
            "There is no room: delete saves that you don't need; meta.limit says what is exhausted.",
        ),
    ),
    "SAVEGAME_UPLOAD_INCOMPLETE": Code(
        422,
        "FAILED_PRECONDITION",
        ("Загрузка не завершена", "The upload is incomplete"),
        (
            "Файл ещё не загружен: отправьте его по выданному адресу и подтвердите снова.",
            "Nothing has been uploaded yet: send the file to the URL that was given, and confirm again.",
        ),
    ),
    "SAVEGAME_HASH_MISMATCH": Code(
        422,
        "FAILED_PRECONDITION",
        ("Загружен другой файл", "Another file was uploaded"),
        (
            "Размер или хеш файла не совпадает с заявленным; запросите новый адрес и загрузите файл заново.",
            "The file's size or hash is not what was announced; ask for a new URL and upload it again.",
        ),
    ),
    "METHOD_NOT_ALLOWED": Code(
        405,
        "UNIMPLEMENTED",
        ("Метод не поддерживается", "Method not allowed"),
        (
            "Этот ресурс не поддерживает такой метод; допустимые перечислены в заголовке Allow.",
            "This resource does not support the method; the header Allow lists those it does.",
        ),
    ),
    "UNSUPPORTED_MEDIA_TYPE": Code(
        415,
        "INVALID_ARGUMENT",
        ("Неподдерживаемый тип содержимого", "Unsupported media type"),
        ("Отправьте тело запроса как application/json.", "Send the body as application/json."),
    ),
    "RATE_LIMIT_EXCEEDED": Code(
        429,
        "RESOURCE_EXHAUSTED",
        ("Слишком много запросов", "Too many requests"),
        ("Повторите запрос после паузы из заголовка Retry-After.", "Try again after the pause named in Retry-After."),
    ),
    "PRODUCT_ALREADY_OWNED": Code(
        409,
        "ALREADY_EXISTS",
        ("Продукт уже в библиотеке", "Product already owned"),
        ("Этот продукт уже принадлежит вам.", "You already own this product."),
    ),
    "CATEGORY_ALREADY_EXISTS": Code(
        409,
        "ALREADY_EXISTS",
        ("Категория уже существует", "Category already exists"),
        ("У вас уже есть категория с таким названием.", "You already have a category of this name."),
    ),
    "SESSION_ALREADY_ENDED": Code(
        409,
        "FAILED_PRECONDITION",
        ("Игровая сессия завершена", "Session already ended"),
        ("Эта игровая сессия уже завершена; начните новую.", "This session has ended; start a new one."),
    ),
    "ACHIEVEMENT_ALREADY_UNLOCKED": Code(
        409,
        "ALREADY_EXISTS",
        ("Достижение уже получено", "Achievement already unlocked"),
        ("Вы уже получили это достижение.", "You have unlocked this achievement already."),
    ),
    "IDEMPOTENCY_KEY_REUSED": Code(
        409,
        "ABORTED",
        ("Ключ идемпотентности уже использован", "Idempotency key reused"),
        (
            "Этот Idempotency-Key уже использован с другим телом запроса; возьмите новый ключ.",
            "This Idempotency-Key was used with another body; take a new key.",
        ),
    ),
    "PRECONDITION_FAILED": Code(
        412,
        "FAILED_PRECONDITION",
        ("Предусловие не выполнено", "Precondition failed"),
        ("Ресурс изменился с момента чтения.", "The resource has changed since it was read."),
    ),
    "PAYLOAD_TOO_LARGE": Code(
        413,
        "RESOURCE_EXHAUSTED",
        ("Слишком большой запрос", "Payload too large"),
        ("Тело запроса превышает допустимый размер.", "The body is larger than allowed."),
    ),
    "INTERNAL_ERROR": Code(
        500,
        "INTERNAL",
        ("Внутренняя ошибка", "Internal error"),
        (
            "Что-то пошло не так на нашей стороне; сообщите trace_id поддержке.",
            "Something went wrong on our side; tell the trace_id to support.",
        ),
    ),
    "SERVICE_UNAVAILABLE": Code(
        503,
        "UNAVAILABLE",
        ("Сервис временно недоступен", "Service unavailable"),
        ("Повторите запрос позже.", "Try again later."),
    ),
}


class ServiceUnavailable(DomainError):
    """Something that this request needs is away."""

    code = "SERVICE_UNAVAILABLE"

    def __init__(self, dependency: str) -> None:
        super().__init__(dependency=dependency)


class Unauthenticated(DomainError):
    """A valid token is needed."""

    code = "UNAUTHENTICATED"

    def __init__(self, rule: str | None = None) -> None:
        """``rule`` names what is wrong with how the token was sent; None: with the token, of which nothing is told."""
        super().__init__()
        self.rule = rule


class BadRequest(DomainError):
    """The request is not the HTTP that it has to be. ``rule`` names what is wrong with it."""

    code = "VALIDATION_ERROR"

    def __init__(self, rule: str) -> None:
        super().__init__()
        self.rule = rule


class MethodNotAllowed(DomainError):
    """This resource does not support the method."""

    code = "METHOD_NOT_ALLOWED"


class MalformedJson(DomainError):
    """The body is not JSON."""

    code = "MALFORMED_JSON"


class UnsupportedMediaType(DomainError):
    """The body is not application/json."""

    code = "UNSUPPORTED_MEDIA_TYPE"


class PayloadTooLarge(DomainError):
    """The body is larger than allowed."""

    code = "PAYLOAD_TOO_LARGE"


class IdempotencyKeyReused(DomainError):
    """The key was used with another body."""

    code = "IDEMPOTENCY_KEY_REUSED"


class InternalError(DomainError):
    """Something went wrong on our side."""

    code = "INTERNAL_ERROR"


class RateLimitExceeded(DomainError):
    """Too many requests."""

    code = "RATE_LIMIT_EXCEEDED"

    def __init__(self, retry_after: int, headers: dict[str, str] | None = None) -> None:
        super().__init__()
        self.retry_after = retry_after
        self.headers = headers or {}


# What each rule says when it is broken, by the name that pydantic gives it (or we do): (ru, en), with its values.
_RULES: dict[str, tuple[str, str]] = {
    "missing": ("Обязательное поле отсутствует.", "This field is required."),
    "extra_forbidden": ("Неизвестное поле; удалите его.", "Unknown field; remove it."),
    "unknown_parameter": ("Неизвестный параметр; удалите его.", "Unknown parameter; remove it."),
    "repeated_parameter": ("Параметр указан несколько раз.", "The parameter is given more than once."),
    "uuid_parsing": ("Ожидается UUID.", "A UUID is expected."),
    "uuid_type": ("Ожидается UUID.", "A UUID is expected."),
    "string_type": ("Ожидается строка.", "A string is expected."),
    "string_too_long": ("Не длиннее {max_length} символов.", "At most {max_length} characters."),
    "string_too_short": ("Не короче {min_length} символов.", "At least {min_length} characters."),
    "text_forbidden_character": (
        "Символ NUL и одиночные суррогаты недопустимы.",
        "NUL and lone surrogates are not allowed.",
    ),
    "text_control_character": (
        "Управляющие символы и символы смены направления недопустимы.",
        "Control and bidi-override characters are not allowed.",
    ),
    "text_blank": ("Нужен хотя бы один видимый символ.", "At least one visible character is needed."),
    "bool_type": ("Ожидается true или false.", "Expected true or false."),
    "bool_parsing": ("Ожидается true или false.", "Expected true or false."),
    "int_type": ("Ожидается целое число.", "A whole number is expected."),
    "int_parsing": ("Ожидается целое число.", "A whole number is expected."),
    "int_from_float": ("Ожидается целое число.", "A whole number is expected."),
    "int_parsing_size": ("Слишком большое число.", "The number is too large."),
    "greater_than_equal": ("Не меньше {ge}.", "At least {ge}."),
    "less_than_equal": ("Не больше {le}.", "At most {le}."),
    "enum": ("Допустимые значения: {expected}.", "Allowed values: {expected}."),
    "too_long": ("Не больше {max_length} элементов.", "At most {max_length} elements."),
    "tuple_type": ("Ожидается список.", "A list is expected."),
    "list_type": ("Ожидается список.", "A list is expected."),
    "model_type": ("Ожидается объект.", "An object is expected."),
    "model_attributes_type": ("Ожидается объект.", "An object is expected."),
    "dict_type": ("Ожидается объект.", "An object is expected."),
    "exactly_one": ("Укажите либо это, либо {other}.", "Give either this or {other}."),
    "id_mismatch": ("Должно совпадать с идентификатором в пути.", "Must agree with the id in the path."),
    "date_from_datetime_parsing": ("Ожидается дата, например 2026-05-20.", "A date is expected, such as 2026-05-20."),
    "date_parsing": ("Ожидается дата, например 2026-05-20.", "A date is expected, such as 2026-05-20."),
    "bad_client_id": (
        "X-Client-Id: от 1 до 64 печатных символов ASCII.",
        "X-Client-Id: 1 to 64 printable ASCII characters.",
    ),
    "time_zone": (
        "Ожидается часовой пояс IANA, например Europe/Moscow, или смещение, например +03:00.",
        "An IANA time zone is expected, such as Europe/Moscow, or an offset, such as +03:00.",
    ),
    "since_after_until": ("Начало не может быть позже конца.", "The beginning can't be after the end."),
    "too_many_days": ("Не больше {max} дней.", "At most {max} days."),
    "datetime_type": ("Ожидается время RFC 3339 строкой.", "A time in RFC 3339 is expected, as a string."),
    "datetime_parsing": ("Ожидается время RFC 3339.", "A time in RFC 3339 is expected."),
    "datetime_from_date_parsing": ("Ожидается время RFC 3339.", "A time in RFC 3339 is expected."),
    "datetime_out_of_range": ("Ожидается время с 1970 по 2199 год.", "A time from 1970 to 2199 is expected."),
    "timezone_aware": ("Укажите смещение от UTC, например Z.", "Give the offset from UTC, such as Z."),
    "too_short": ("Не меньше {min_length} элементов.", "At least {min_length} elements."),
    "too_many_categories": ("Не больше {max} категорий.", "At most {max} categories."),
    "malformed_message": ("Сообщение не разобрать.", "The message can't be decoded."),
    "too_many_problems": ("Больше {max} ошибок.", "More than {max} problems."),
    "too_many_values": (
        "Слишком много значений; допустимо не больше {max}.",
        "Too many values; at most {max} are allowed.",
    ),
    "too_many_parameters": ("Не больше {max} параметров.", "At most {max} parameters."),
    "too_many_headers": ("Не больше 100 заголовков.", "At most 100 headers."),
    "too_many_pieces": (
        "Тело передано слишком мелкими частями; передавайте его целиком или частями от 512 байт.",
        "The body came in too small pieces; send it as a whole or in chunks of 512 bytes and more.",
    ),
    "categories_or_changes": (
        "Либо весь список category_ids, либо add_category_ids и remove_category_ids.",
        "Give category_ids as a whole, or add_category_ids and remove_category_ids.",
    ),
    "added_and_removed": (
        "Категория не может быть и добавлена, и убрана.",
        "A category can't be both added and removed.",
    ),
    "repeated_id": ("Каждый элемент называется один раз.", "Each item is named once."),
    "too_deep": ("Не больше {max} уровней вложенности.", "At most {max} levels of nesting."),
    "finite_number": ("Число должно быть конечным.", "The number has to be finite."),
    "integer_too_large": (
        "Целое число не помещается в 64 бита; передайте его строкой.",
        "The whole number does not fit into 64 bits; send it as a string.",
    ),
    "one_layer": (
        "Укажите либо platform, либо device_id: запись меняет один слой.",
        "Give platform or device_id: a write changes one layer.",
    ),
    "slot_name": ("В имени не может быть папки «..».", "The name may not have '..' as a folder."),
    "raw_needs_encoding": (
        "Для raw_sha256 нужен content_encoding: identity, gzip или zstd.",
        "raw_sha256 needs content_encoding identity, gzip or zstd.",
    ),
    "raw_of_encrypted": (
        "Для зашифрованных данных укажите encryption.identity вместо raw_sha256.",
        "Of encrypted bytes give encryption.identity in place of raw_sha256.",
    ),
    "raw_too_large": (
        "Распакованный размер больше допустимого: {max} байт.",
        "The unpacked size is more than may be: {max} bytes.",
    ),
    "slot_name_taken": ("Сохранение с таким именем уже есть.", "There is a save of this name already."),
    "size_of_known_content": (
        "Содержимое с этим хешем имеет другой размер.",
        "The content with this hash has another size.",
    ),
    "too_many_pinned": ("Закрепить можно не больше {max} версий.", "At most {max} versions can be pinned."),
    "stale_order": (
        "Назовите каждый элемент списка ровно один раз; прочитайте список заново.",
        "Name every item of the list once; read the list anew.",
    ),
    "string_pattern_mismatch": ("Ожидается значение вида {pattern}.", "A value like {pattern} is expected."),
    "share_with_oneself": ("С самим собой делиться нельзя.", "You can't share with yourself."),
    "no_products_for_all": (
        "При mode=all список пуст; для списка укажите only или except.",
        "With mode=all the list is empty; use only or except for a list.",
    ),
    "in_the_past": ("Время должно быть в будущем.", "The time has to be in the future."),
    "not_utf8": ("Параметры запроса должны быть в UTF-8.", "The query must be UTF-8."),
    "not_a_cursor": ("Ожидается id события из ленты.", "The id of an event of the feed is expected."),
    "repeated_authorization": (
        "Заголовок Authorization указан несколько раз; укажите один.",
        "The Authorization header is given more than once; send one.",
    ),
    "websocket_expected": (
        "По этому адресу доступен только WebSocket; запросите переход на него (Upgrade: websocket).",
        "This address serves a WebSocket only; ask for an upgrade (Upgrade: websocket).",
    ),
    "body_not_received": (
        "Тело запроса не получено целиком.",
        "The body of the request did not arrive as a whole.",
    ),
    "malformed_http": (
        "Запрос не соответствует HTTP.",
        "The request is not valid HTTP.",
    ),
    "bad_idempotency_key": (
        "Idempotency-Key: от 1 до 255 печатных символов ASCII.",
        "Idempotency-Key: 1 to 255 printable ASCII characters.",
    ),
}
_ANY_RULE = ("Недопустимое значение.", "This value is not allowed.")


def rule_text(rule: str, params: dict[str, object], language: Language) -> str:
    """What a broken rule says to its sender."""
    text = _RULES.get(rule, _ANY_RULE)[language == "en"]
    if "expected" in params:  # pydantic's English enumeration: 'a', 'b' or 'c'
        params = {**params, "expected": ", ".join(re.findall("'([^']*)'", str(params["expected"])))}
    try:
        return text.format(**params)
    except (KeyError, IndexError):
        return _ANY_RULE[language == "en"]
