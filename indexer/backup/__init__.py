"""Backups: what is published, in one file, whichever database the catalogue is in."""
