"""The only writer: reads folders and datasets, encodes what is new, publishes rows and vectors as one unit."""
