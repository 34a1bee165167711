import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListWishlistRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class ListWishlistResponse(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[WishlistItem]
    def __init__(self, items: _Optional[_Iterable[_Union[WishlistItem, _Mapping]]] = ...) -> None: ...

class AddToWishlistRequest(_message.Message):
    __slots__ = ("user_id", "product_id", "priority", "notes", "target_price_minor", "target_currency", "min_discount_percent")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    TARGET_PRICE_MINOR_FIELD_NUMBER: _ClassVar[int]
    TARGET_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    MIN_DISCOUNT_PERCENT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    priority: int
    notes: str
    target_price_minor: int
    target_currency: str
    min_discount_percent: int
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ..., priority: _Optional[int] = ..., notes: _Optional[str] = ..., target_price_minor: _Optional[int] = ..., target_currency: _Optional[str] = ..., min_discount_percent: _Optional[int] = ...) -> None: ...

class AddToWishlistResponse(_message.Message):
    __slots__ = ("item",)
    ITEM_FIELD_NUMBER: _ClassVar[int]
    item: WishlistItem
    def __init__(self, item: _Optional[_Union[WishlistItem, _Mapping]] = ...) -> None: ...

class RemoveFromWishlistRequest(_message.Message):
    __slots__ = ("user_id", "product_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    product_id: str
    def __init__(self, user_id: _Optional[str] = ..., product_id: _Optional[str] = ...) -> None: ...

class RemoveFromWishlistResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WishlistItem(_message.Message):
    __slots__ = ("wishlist_item_id", "product_id", "added_at", "priority", "notes", "target_price_minor", "target_currency", "min_discount_percent")
    WISHLIST_ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    ADDED_AT_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    TARGET_PRICE_MINOR_FIELD_NUMBER: _ClassVar[int]
    TARGET_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    MIN_DISCOUNT_PERCENT_FIELD_NUMBER: _ClassVar[int]
    wishlist_item_id: str
    product_id: str
    added_at: _timestamp_pb2.Timestamp
    priority: int
    notes: str
    target_price_minor: int
    target_currency: str
    min_discount_percent: int
    def __init__(self, wishlist_item_id: _Optional[str] = ..., product_id: _Optional[str] = ..., added_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., priority: _Optional[int] = ..., notes: _Optional[str] = ..., target_price_minor: _Optional[int] = ..., target_currency: _Optional[str] = ..., min_discount_percent: _Optional[int] = ...) -> None: ...
