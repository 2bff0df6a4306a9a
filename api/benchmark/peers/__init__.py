"""What else a user could take: other engines on the same vectors and queries, each in a process of its own."""
