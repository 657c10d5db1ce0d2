"""Conformance suites that a plugin author inherits."""
