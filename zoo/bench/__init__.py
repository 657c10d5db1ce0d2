"""Benchmarks: suites, records, leaderboard."""
