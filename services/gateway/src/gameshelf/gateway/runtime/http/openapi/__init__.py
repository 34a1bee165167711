"""The OpenAPI 3.1 document, made from the routes and the resources themselves."""

from gameshelf.gateway.runtime.http.openapi.build import document

__all__ = ["document"]
