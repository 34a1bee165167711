"""The resources of the wishlist (contract, section 3.5)."""

from dataclasses import dataclass

from gameshelf.gateway.runtime.http.resources import Field, ObjectResource, Resource, identity
from gameshelf.gateway.runtime.http.schemas import COUNT, TEXT, TIME, UUID, nullable
from gameshelf.wishlist import Price, PricedWish


@dataclass(frozen=True, slots=True)
class WishName:
    """The title of a product in the language of the response and its cover, each one None if the Catalog sent none."""

    title: str | None = None
    cover_image_url: str | None = None


PRICE = ObjectResource(
    "Price",
    Price,
    "The price of a product in one currency, as the Catalog last published it.",
    Field("price_minor", COUNT, "Price to pay, with the discount, in minor units of the currency.", 149900),
    Field("currency", TEXT, "Currency by its ISO 4217 code.", "RUB"),
    Field(
        "discount_percent",
        {"type": "integer", "minimum": 0, "maximum": 100},
        "Discount in percent; 0 without a discount.",
        25,
    ),
    Field("sale_id", nullable(TEXT), "Sale that the price belongs to, if there is one.", "summer-2026"),
    Field("sale_ends_at", nullable(TIME), "When the sale ends, if that is known.", "2026-07-01T17:00:00Z"),
)

WISHLIST_ITEM = Resource(
    "wishlistItem",
    PricedWish,
    "A product on the wishlist of the user.",
    Field("product_id", UUID, "Product on the wishlist.", "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3", "wish.product_id"),
    Field(
        "title",
        nullable(TEXT),
        "Title in the language of the response, else in the other language; null until the Catalog names the product.",
        "Starfall",
        lambda _, name: name.title,
    ),
    Field(
        "cover_image_url",
        nullable(TEXT),
        "Address of the cover image; null while it is unknown.",
        "https://cdn.example.com/covers/starfall.jpg",
        lambda _, name: name.cover_image_url,
    ),
    Field("added_at", TIME, "When the product was added to the wishlist.", "2026-05-01T09:00:00Z", "wish.added_at"),
    Field("priority", nullable(COUNT), "Place in the list: 1 is first, null is last.", 1, "wish.priority"),
    Field("notes", nullable(TEXT), "Notes of the user.", "For the holidays", "wish.notes"),
    Field(
        "target_price_minor",
        nullable(COUNT),
        "Price at which the user wants to be notified, in minor units of `target_currency`.",
        150000,
        "wish.target_price_minor",
    ),
    Field("target_currency", nullable(TEXT), "Currency of the target price.", "RUB", "wish.target_currency"),
    Field(
        "min_discount_percent",
        nullable(COUNT),
        "Smallest discount at which the user wants to be notified, in percent.",
        20,
        "wish.min_discount_percent",
    ),
    Field(
        "current_price",
        nullable(PRICE.schema),
        "Current price in the currency of the target, or else in the default currency; null while none is known.",
        PRICE.schema.example,
        lambda of, _: PRICE.render(of.price) if of.price else None,
    ),
    identity=identity("Id of the item of the wishlist.", "a87ff679-a2f3-471d-8a81-5f1c6d7e8f90", "wish.id"),
)
"""The context of ``render`` is the `Name` of its product."""
