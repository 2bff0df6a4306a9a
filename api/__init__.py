"""Delivery: the command line, plots, and what will be HTTP and the web page."""
