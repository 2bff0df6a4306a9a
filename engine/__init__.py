"""Everything a search needs: encoder, fragment index, catalogue, exact scores, search service."""
