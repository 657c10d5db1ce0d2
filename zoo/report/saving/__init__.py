"""Pictures as files: SVG and PDF for papers, and what is drawn in them as a table."""

from __future__ import annotations

from zoo.report.saving.table import figure_table
from zoo.report.saving.vector import figure_pdf, file_name, standalone_svg

__all__ = ["figure_pdf", "figure_table", "file_name", "standalone_svg"]
