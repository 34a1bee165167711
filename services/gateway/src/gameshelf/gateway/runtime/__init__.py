"""The runtime, which serves any domain. It imports neither domain packages nor ``gameshelf.gateway.domains``."""
