"""Models. Each entry is a folder with a light `spec.py` and a `model.py`; none imports a dataset."""
