"""What the commands print: one JSON document, or lines for a person."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.alignment import WordRegion
    from engine.search import Answer, Hit

Document = dict[str, Any]

LINE_WORDS = 12  # words of a hit shown to a person; --json gives all


def printable(text: str) -> str:
    r"""Write characters that would break a line or a terminal as escapes; file names may hold any.

    >>> printable("two\nlines")
    'two\\nlines'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in text)


def as_json(document: Any) -> str:
    """Return one JSON document in ASCII, whatever the terminal's encoding."""
    return json.dumps(document, indent=2)


def words_json(words: Sequence["WordRegion"]) -> list[Document]:
    """Return words and their regions as JSON values; boxes to a tenth of a pixel."""
    return [
        {
            "word": word.word,
            "start": word.start,
            "end": word.end,
            "box": [round(edge, 1) for edge in word.box],
            "product": round(word.product, 5),
        }
        for word in words
    ]


def answer_json(answer: "Answer") -> Document:
    """Return the answer of a search in one collection as JSON values."""
    document: Document = {
        "query": answer.query,
        "target": answer.target,
        "collection": answer.collections[0],
        "not_understood": answer.not_understood,
        "hits": [_hit_json(hit) for hit in answer.hits],
    }
    document |= {"caption": answer.caption} if answer.caption is not None else {}
    return document | ({"warnings": answer.warnings} if answer.warnings else {})


def answer_lines(answer: Document) -> list[str]:
    """Return the answer of a search, that of `answer_json` or of a server, as lines for a person."""
    lines = [f"warning: {printable(warning)}" for warning in answer.get("warnings", [])]
    if answer["not_understood"]:
        lines.append(not_understood_line(answer["not_understood"]))
    if answer.get("caption") is not None:
        lines.append(f"caption: {printable(answer['caption'])}")
    for hit in answer["hits"]:
        named = hit.get("path") or hit.get("name") or hit.get("text") or ""  # a server tells no paths
        lines.append(f"{hit['rank']:3}  {hit['score']:8.3f}  {printable(named)}")
        if hit.get("caption"):
            lines.append(" " * 15 + printable(hit["caption"]))
        if hit["words"]:
            lines.append(" " * 15 + words_line(hit["words"]))
    return lines


def words_line(words: Sequence[Document]) -> str:
    """Return the first words and their boxes on one line: dog (10 20 200 180)."""
    shown = [
        f"{printable(word['word'])} ({' '.join(str(round(edge)) for edge in word['box'])})"
        for word in words[:LINE_WORDS]
    ]
    more = [f"and {len(words) - LINE_WORDS} more words"] if len(words) > LINE_WORDS else []
    return "  ".join(shown + more)


def not_understood_line(words: Sequence[str]) -> str:
    """Return the first words that the model does not know, each once."""
    distinct = list(dict.fromkeys(words))
    more = f" and {len(distinct) - LINE_WORDS} more" if len(distinct) > LINE_WORDS else ""
    return "not understood: " + printable(", ".join(distinct[:LINE_WORDS])) + more


def _hit_json(hit: "Hit") -> Document:
    document: Document = {"rank": hit.rank, "id": hit.id, "score": round(hit.score, 5)}
    if hit.path is not None:
        document |= {"path": hit.path, "width": hit.width, "height": hit.height, "caption": hit.caption}
    else:
        document |= {"text": hit.text, "document": hit.document}
    return document | {"words": words_json(hit.words)}
