"""Writing playtime: every statement that changes the schema, and the reads that a decision needs.

The caller has serialised the user, so what is read here cannot change before it is written. Heartbeats are the
exception: see ``liveness.py``.
"""
