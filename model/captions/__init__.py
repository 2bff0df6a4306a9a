"""Captions: recurrent networks that put a photo or a region into words, their training, search and measures."""
