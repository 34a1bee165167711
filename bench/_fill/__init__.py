"""Generates what a service of any number of users has stored: deterministic by a seed and the number of a user."""
