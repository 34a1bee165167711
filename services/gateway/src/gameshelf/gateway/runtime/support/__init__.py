"""What support may do: the table of commands, changes with their dry runs, the audit, and the way back."""
