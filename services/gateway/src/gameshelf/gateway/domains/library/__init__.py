"""The library: items, categories, grants, the catalog."""
