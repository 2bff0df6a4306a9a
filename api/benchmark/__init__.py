"""`dvsa benchmark search`: a made collection of any size, timed and compared with exact search."""
