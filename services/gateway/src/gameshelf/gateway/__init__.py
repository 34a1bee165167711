"""The Library Service: the domain packages behind REST, WebSocket, gRPC and Kafka."""

__version__ = "0.4.0.dev0"
