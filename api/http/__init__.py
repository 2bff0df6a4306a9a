"""The HTTP service: `app.py` puts it together, a file of routes for each thing that it serves."""
