"""What serves any domain: it imports no domain package, and nothing of ``gameshelf.gateway.domains``."""
