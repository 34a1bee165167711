"""The retention rule for refused reports."""

from datetime import timedelta

from gameshelf.achievements import prune_refused_attempts
from gameshelf.gateway.runtime.jobs.retention_rules import RetentionRule

RETENTION = (RetentionRule("refused achievements", timedelta(days=30), prune_refused_attempts),)
