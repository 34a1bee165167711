"""One user's change in few round trips: what it reads first is read together, and its writes are run together.

There are two ways. An optimistic change reads the version of the user's row with the first reads, and writes everything
in one statement if the version is still the same: two round trips, without a transaction. A locked change locks the
row, reads, writes and commits: four round trips.
"""
