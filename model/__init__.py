"""Everything learned: photos to region vectors, sentences to word vectors, and their score.

Letters used in every docstring and shape comment:

    I  images                R  regions per image
    S  sentences             W  words per sentence
    D  size of the shared space of region and word vectors
    F  size of a region's CNN feature
    V  vocabulary size       K  results

Boxes are (x0, y0, x1, y1) in pixels of the upright photo, float32, x1 and y1 exclusive.
"""
