"""The retention rule for payloads that were replaced or deleted."""

from datetime import timedelta

from gameshelf.gateway.runtime.jobs.retention_rules import RetentionRule
from gameshelf.settings import prune_kept_payloads

RETENTION = (RetentionRule("kept settings", timedelta(days=30), prune_kept_payloads),)
