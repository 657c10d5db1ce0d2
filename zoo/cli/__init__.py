"""The command line. One file per verb group; `app.py` says which, and imports none until asked."""
