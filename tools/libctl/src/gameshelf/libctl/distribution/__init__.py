"""The distribution of the tables by their users over the machines of a Citus cluster."""
