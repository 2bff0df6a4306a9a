"""The only writer: reads folders and datasets, encodes what is new, publishes catalogue rows and vectors as one unit."""
