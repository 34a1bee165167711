"""Achievements and their rarity."""

from gameshelf.achievements import METADATA, MIGRATIONS, TIMELINE
from gameshelf.gateway.domains.achievements import consumed, errors, published, reactions, rest, support
from gameshelf.gateway.domains.achievements.instance import create, make_services
from gameshelf.gateway.domains.achievements.jobs.retention import RETENTION
from gameshelf.gateway.domains.achievements.metrics import AchievementMetrics
from gameshelf.gateway.runtime.domain import Domain

DOMAIN = Domain(
    "achievements",
    create,
    MIGRATIONS,
    METADATA,
    services=make_services,
    routes=rest.routes.all,
    published=published.FORMS,
    reactions=reactions.REACTIONS,
    consumed=consumed.EVENTS,
    commands=support.COMMANDS,
    codes=errors.CODES,
    rules=errors.RULES,
    retention=RETENTION,
    metrics=AchievementMetrics,
    timeline=TIMELINE,
)
