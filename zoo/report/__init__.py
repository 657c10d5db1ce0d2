"""Figures, tables and provenance of runs, in one HTML file."""

from __future__ import annotations

from zoo.report.html import write_looks, write_report

__all__ = ["write_looks", "write_report"]
