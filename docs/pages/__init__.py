"""Generated pages, one module for each kind; `docs/generate.py` writes them."""
