"""Changes of many players at once: their list, the dry run, the journal on disk, and the run that can be resumed."""
