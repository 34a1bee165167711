import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ShowWishlistRequest(_message.Message):
    __slots__ = ("user_id", "page", "limit")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    page: int
    limit: int
    def __init__(self, user_id: _Optional[str] = ..., page: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ShowWishlistResponse(_message.Message):
    __slots__ = ("items", "total_items")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[AdminWish]
    total_items: int
    def __init__(self, items: _Optional[_Iterable[_Union[AdminWish, _Mapping]]] = ..., total_items: _Optional[int] = ...) -> None: ...

class AdminWish(_message.Message):
    __slots__ = ("wishlist_item_id", "product_id", "title", "added_at", "priority", "target_price_minor", "target_currency", "min_discount_percent", "price")
    WISHLIST_ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    ADDED_AT_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    TARGET_PRICE_MINOR_FIELD_NUMBER: _ClassVar[int]
    TARGET_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    MIN_DISCOUNT_PERCENT_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    wishlist_item_id: str
    product_id: str
    title: str
    added_at: _timestamp_pb2.Timestamp
    priority: int
    target_price_minor: int
    target_currency: str
    min_discount_percent: int
    price: AdminPrice
    def __init__(self, wishlist_item_id: _Optional[str] = ..., product_id: _Optional[str] = ..., title: _Optional[str] = ..., added_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., priority: _Optional[int] = ..., target_price_minor: _Optional[int] = ..., target_currency: _Optional[str] = ..., min_discount_percent: _Optional[int] = ..., price: _Optional[_Union[AdminPrice, _Mapping]] = ...) -> None: ...

class AdminPrice(_message.Message):
    __slots__ = ("price_minor", "currency", "discount_percent", "sale_id", "sale_ends_at", "said_at", "cut_from_minor", "cut_received_at")
    PRICE_MINOR_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    DISCOUNT_PERCENT_FIELD_NUMBER: _ClassVar[int]
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    SALE_ENDS_AT_FIELD_NUMBER: _ClassVar[int]
    SAID_AT_FIELD_NUMBER: _ClassVar[int]
    CUT_FROM_MINOR_FIELD_NUMBER: _ClassVar[int]
    CUT_RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    price_minor: int
    currency: str
    discount_percent: int
    sale_id: str
    sale_ends_at: _timestamp_pb2.Timestamp
    said_at: _timestamp_pb2.Timestamp
    cut_from_minor: int
    cut_received_at: _timestamp_pb2.Timestamp
    def __init__(self, price_minor: _Optional[int] = ..., currency: _Optional[str] = ..., discount_percent: _Optional[int] = ..., sale_id: _Optional[str] = ..., sale_ends_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., said_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cut_from_minor: _Optional[int] = ..., cut_received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ExplainWishRequest(_message.Message):
    __slots__ = ("user_id", "product_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ...) -> None: ...

class ExplainWishResponse(_message.Message):
    __slots__ = ("title", "wish", "is_owned", "prices", "notifications", "at")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    WISH_FIELD_NUMBER: _ClassVar[int]
    IS_OWNED_FIELD_NUMBER: _ClassVar[int]
    PRICES_FIELD_NUMBER: _ClassVar[int]
    NOTIFICATIONS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    title: str
    wish: AdminWish
    is_owned: bool
    prices: _containers.RepeatedCompositeFieldContainer[ExplainedPrice]
    notifications: _containers.RepeatedCompositeFieldContainer[WishNotification]
    at: _timestamp_pb2.Timestamp
    def __init__(self, title: _Optional[str] = ..., wish: _Optional[_Union[AdminWish, _Mapping]] = ..., is_owned: _Optional[bool] = ..., prices: _Optional[_Iterable[_Union[ExplainedPrice, _Mapping]]] = ..., notifications: _Optional[_Iterable[_Union[WishNotification, _Mapping]]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ExplainedPrice(_message.Message):
    __slots__ = ("price", "is_seen", "unmet", "notification", "is_pending")
    PRICE_FIELD_NUMBER: _ClassVar[int]
    IS_SEEN_FIELD_NUMBER: _ClassVar[int]
    UNMET_FIELD_NUMBER: _ClassVar[int]
    NOTIFICATION_FIELD_NUMBER: _ClassVar[int]
    IS_PENDING_FIELD_NUMBER: _ClassVar[int]
    price: AdminPrice
    is_seen: bool
    unmet: _containers.RepeatedScalarFieldContainer[str]
    notification: WishNotification
    is_pending: bool
    def __init__(self, price: _Optional[_Union[AdminPrice, _Mapping]] = ..., is_seen: _Optional[bool] = ..., unmet: _Optional[_Iterable[str]] = ..., notification: _Optional[_Union[WishNotification, _Mapping]] = ..., is_pending: _Optional[bool] = ...) -> None: ...

class WishNotification(_message.Message):
    __slots__ = ("notification_id", "sale_id", "notified_at")
    NOTIFICATION_ID_FIELD_NUMBER: _ClassVar[int]
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    NOTIFIED_AT_FIELD_NUMBER: _ClassVar[int]
    notification_id: str
    sale_id: str
    notified_at: _timestamp_pb2.Timestamp
    def __init__(self, notification_id: _Optional[str] = ..., sale_id: _Optional[str] = ..., notified_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
