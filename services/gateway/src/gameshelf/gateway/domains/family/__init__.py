"""Family sharing: links and seats. Its tables are in the schema of the library."""

from gameshelf.gateway.domains.family import errors, published, reactions, rest, support
from gameshelf.gateway.domains.family.instance import create, make_services
from gameshelf.gateway.domains.family.settings import FamilySection
from gameshelf.gateway.runtime.domain import Domain

DOMAIN = Domain(
    "family",
    create,
    services=make_services,
    routes=rest.routes.all,
    commands=support.COMMANDS,
    codes=errors.CODES,
    rules=errors.RULES,
    published=published.FORMS,
    reactions=reactions.REACTIONS,
    forwarded=published.FORWARDED,
    settings=FamilySection,
)
