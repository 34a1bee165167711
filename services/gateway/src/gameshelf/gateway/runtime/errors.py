"""Error codes: the HTTP status, the gRPC status and the texts of each. Here are those of the runtime itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gameshelf.kernel.errors import DomainError

Language = Literal["ru", "en"]


@dataclass(frozen=True, slots=True)
class Code:
    """The status of an error code in REST and gRPC, and its texts ``(ru, en)``; ``grpc`` is the name of the status."""

    http: int
    grpc: str
    title: tuple[str, str]
    detail: tuple[str, str]

    def titled(self, language: Language) -> str:
        return self.title[language == "en"]

    def detailed(self, language: Language) -> str:
        return self.detail[language == "en"]


_CODES: Mapping[str, Code] = {
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
            "Something went wrong on our side; give the trace_id to support.",
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
    """A dependency that the request needs is unavailable."""

    code = "SERVICE_UNAVAILABLE"

    def __init__(self, dependency: str) -> None:
        super().__init__(dependency=dependency)


class Unauthenticated(DomainError):
    """A valid token is needed."""

    code = "UNAUTHENTICATED"

    def __init__(self, rule: str | None = None) -> None:
        """``rule`` is the mistake in how the token was sent; None if the token is invalid, which is not explained."""
        super().__init__()
        self.rule = rule


class BadRequest(DomainError):
    """The request is not valid HTTP. ``rule`` is the rule that it breaks."""

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


# Name of a rule, by pydantic or by the service → the message when it is broken: (ru, en), with placeholders.
_RULES: Mapping[str, tuple[str, str]] = {
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
    "greater_than": ("Больше {gt}.", "More than {gt}."),
    "less_than": ("Меньше {lt}.", "Less than {lt}."),
    "enum": ("Допустимые значения: {expected}.", "Allowed values: {expected}."),
    "literal_error": ("Допустимые значения: {expected}.", "Allowed values: {expected}."),
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
    "datetime_type": ("Ожидается время RFC 3339 строкой.", "A time in RFC 3339 is expected, as a string."),
    "datetime_parsing": ("Ожидается время RFC 3339.", "A time in RFC 3339 is expected."),
    "datetime_from_date_parsing": ("Ожидается время RFC 3339.", "A time in RFC 3339 is expected."),
    "datetime_out_of_range": ("Ожидается время с 1970 по 2199 год.", "A time from 1970 to 2199 is expected."),
    "timezone_aware": ("Укажите смещение от UTC, например Z.", "Give the offset from UTC, such as Z."),
    "too_short": ("Не меньше {min_length} элементов.", "At least {min_length} elements."),
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
    "too_deep": ("Не больше {max} уровней вложенности.", "At most {max} levels of nesting."),
    "string_pattern_mismatch": ("Ожидается значение вида {pattern}.", "A value like {pattern} is expected."),
    "not_utf8": ("Параметры запроса должны быть в UTF-8.", "The query must be UTF-8."),
    "not_a_cursor": ("Ожидается курсор из ответа этого списка.", "A cursor that this listing returned is expected."),
    "out_of_range": ("Ожидается от {ge} до {le}.", "A number from {ge} to {le} is expected."),
    "json_invalid": ("Ожидается JSON.", "JSON is expected."),
    "element_too_large": ("Элемент больше {max_bytes} байт.", "An element is larger than {max_bytes} bytes."),
    "unknown_command": ("Такой команды нет.", "There is no such command."),
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


_MAX_SHOWN = 5
"""How many elements of a list a text shows."""


def _shown(value: object) -> object:
    """Returns a parameter as a text shows it: of a list, its first elements."""
    if not isinstance(value, list | tuple):
        return value
    return ", ".join(map(str, value[:_MAX_SHOWN])) + (" …" if len(value) > _MAX_SHOWN else "")


@dataclass(frozen=True, slots=True)
class ErrorTable:
    """All error codes, and all rules that a request may break. Texts are ``(ru, en)``."""

    codes: Mapping[str, Code]
    rules: Mapping[str, tuple[str, str]]

    def code(self, error: DomainError) -> Code:
        """Returns the declaration of an error's code. Raises KeyError for one that no domain has declared."""
        return self.codes[error.code]

    def text(self, rule: str, params: Mapping[str, object], language: Language) -> str:
        """Returns the message for a broken rule."""
        text = self.rules.get(rule, _ANY_RULE)[language == "en"]
        if "expected" in params:  # pydantic's English enumeration: 'a', 'b' or 'c'
            params = {**params, "expected": ", ".join(re.findall("'([^']*)'", str(params["expected"])))}
        try:
            return text.format(**{name: _shown(value) for name, value in params.items()})
        except (KeyError, IndexError):
            return _ANY_RULE[language == "en"]


OWN_ERRORS = ErrorTable(_CODES, _RULES)
"""The errors of the runtime itself, which concern the form of a request and belong to no domain."""
