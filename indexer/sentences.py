"""Documents of a run: which are new, renamed or gone; the sentences of the new ones are encoded and staged."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from sqlalchemy import insert, select

from engine.catalogue.catalogue import chunks
from engine.catalogue.tables import LIVE, STAGED, Sentence
from engine.catalogue.tables import Document as DocumentTable
from indexer.rows import DocumentRow, delete_staged, document_rows, from_blob, sentence_ids, sentence_numbers, to_blob
from indexer.run import Changes, Run
from indexer.sources import Document, SourceSentence

BATCH = 256  # sentences in one transaction
WORDS_AT_ONCE = 16_384  # sentences times words of the longest: what an encoder that pads holds in memory
NO_WORD = "sentence has no word that the model knows"
Numbered = tuple[int, SourceSentence]


class DocumentStep:
    """Compares the documents of a scan with the collection, and stages what is new."""

    def __init__(self, run: Run, changes: Changes) -> None:
        self._run = run
        self._changes = changes
        self._done = 0
        self._total = sum(len(document.sentences) for document in run.scan.documents.values())
        collection_id = run.collection.id
        with run.catalogue.read() as connection:
            self._live = document_rows(connection, collection_id, LIVE)
            self._staged = document_rows(connection, collection_id, STAGED)
            self._live_numbers = sentence_numbers(connection, collection_id, LIVE)
            self._staged_numbers = sentence_numbers(connection, collection_id, STAGED)
            self._live_texts = {} if run.rebuild else sentence_ids(connection, collection_id, LIVE)
        self._drop_stale()
        with run.catalogue.read() as connection:
            self._staged_texts = sentence_ids(connection, collection_id, STAGED)
        self._gone = {
            path: row
            for path, row in self._live.items()
            if path not in run.scan.documents and run.scan.speaks_for(path, row.root)
        }
        self._renamed = {} if run.rebuild else {row.digest: row for row in reversed(self._gone.values())}

    def execute(self) -> None:
        """Stage what is new."""
        documents = self._run.scan.documents.values()
        for document in documents:
            self._take(document)
            self._done += len(document.sentences)
            self._run.progress("sentences", self._done, self._total)
        self._changes.removed_documents |= {row.id for row in self._gone.values()}
        self._run.report.removed += len(self._gone)
        replaced = self._changes.staged_documents & self._live.keys()
        self._changes.removed_documents |= {self._live[path].id for path in replaced}

    def _drop_stale(self) -> None:
        """Delete what an earlier run staged of other contents, of what is gone or by another model."""
        stale = [row for row in self._staged.values() if self._is_stale(row)]
        if stale:
            with self._run.catalogue.write() as connection:
                delete_staged(connection, DocumentTable, [row.id for row in stale])
        for row in stale:
            del self._staged[row.path]

    def _is_stale(self, row: DocumentRow) -> bool:
        scan = self._run.scan
        document = scan.documents.get(row.path)
        changed = scan.speaks_for(row.path, row.root) if document is None else document.digest != row.digest
        return changed or row.model_hash != self._run.encoder.model_hash

    def _take(self, document: Document) -> None:
        """Decide what becomes of a document."""
        live = self._live.get(document.path)
        report = self._run.report
        if live is not None and live.digest == document.digest and not self._run.rebuild:
            report.unchanged += 1
            self._report_unknown(document, self._live_numbers.get(live.id, set()))
        elif live is None and document.digest in self._renamed:
            row = self._renamed.pop(document.digest)
            del self._gone[row.path]
            self._changes.moved_documents[row.id] = document
            report.moved += 1
            self._report_unknown(document, self._live_numbers.get(row.id, set()))
        else:
            self._report_unknown(document, self._stage(document))
            self._changes.staged_documents.add(document.path)
            report.added += 1

    def _report_unknown(self, document: Document, numbers: set[int]) -> None:
        for number in range(len(document.sentences)):
            if number not in numbers:
                self._run.report.skip(f"{document.path}, sentence {number + 1}", NO_WORD)

    def _stage(self, document: Document) -> set[int]:
        """Stage the sentences that an earlier run has not; returns the numbers of all that are staged."""
        staged = self._staged.get(document.path)
        document_id = self._insert(document) if staged is None else staged.id
        numbers = self._staged_numbers.get(document_id, set())
        rest = [(number, sentence) for number, sentence in enumerate(document.sentences) if number not in numbers]
        for start in range(0, len(rest), BATCH):
            numbers |= self._stage_batch(document_id, rest[start : start + BATCH])
            self._run.progress("sentences", self._done + start, self._total)
        return numbers

    def _insert(self, document: Document) -> int:
        row = {
            "collection_id": self._run.collection.id,
            "state": STAGED,
            "path": document.path,
            "root": document.root,
            "digest": document.digest,
            "model_hash": self._run.encoder.model_hash,
            "managed": document.name is not None,
            "name": document.name,
        }
        with self._run.catalogue.write() as connection:
            return int(connection.execute(insert(DocumentTable).returning(DocumentTable.id), row).scalar_one())

    def _stage_batch(self, document_id: int, batch: Sequence[Numbered]) -> set[int]:
        """Commit a batch of sentences with their vectors; returns the numbers of those that have any."""
        vectors = self._vectors(list(dict.fromkeys(sentence.text for _, sentence in batch)))
        rows = [
            {"document_id": document_id, "number": number, "text": sentence.text, "vectors": to_blob(found)}
            for number, sentence in batch
            if (found := vectors.get(sentence.text)) is not None
        ]
        if not rows:
            return set()
        with self._run.catalogue.write() as connection:
            statement = insert(Sentence).returning(Sentence.id, sort_by_parameter_order=True)
            ids = connection.execute(statement, rows).scalars().all()
        self._staged_texts.update((str(row["text"]), int(i)) for i, row in zip(ids, rows, strict=True))
        return {number for number, sentence in batch if sentence.text in vectors}

    def _vectors(self, texts: list[str]) -> dict[str, npt.NDArray[np.float32]]:
        """Return word vectors by text, from where they are or from the encoder; none for a text without known words."""
        staged = {self._staged_texts[text]: text for text in texts if text in self._staged_texts}
        found = {staged[i]: vectors for i, vectors in self._staged_vectors(list(staged))}
        live = {self._live_texts[text]: text for text in texts if text in self._live_texts and text not in found}
        if live:
            assert self._run.previous is not None, "published sentences have a snapshot"
            items = self._run.previous.words.fragments(np.array(list(live), np.int64))
            found |= {text: items.item(place) for place, text in enumerate(live.values())}
        for group in _groups([text for text in texts if text not in found]):
            encoded = zip(group, self._run.encoder.encode_sentences(group), strict=True)
            found |= {text: item.vectors for text, item in encoded if _usable(item.vectors)}
        return found

    def _staged_vectors(self, ids: list[int]) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
        with self._run.catalogue.read() as connection:
            for chunk in chunks(ids):
                for row in connection.execute(select(Sentence.id, Sentence.vectors).where(Sentence.id.in_(chunk))):
                    yield row.id, from_blob(row.vectors, self._run.encoder.dimension)


def _usable(vectors: npt.NDArray[np.float32]) -> bool:
    return len(vectors) > 0 and bool(np.isfinite(vectors).all())


def _groups(texts: Sequence[str]) -> Iterator[list[str]]:
    """Cut texts into groups that an encoder can pad to the longest of each."""
    group: list[str] = []
    longest = 0
    for text in texts:
        longest = max(longest, len(text.split()))
        if group and longest * (len(group) + 1) > WORDS_AT_ONCE:
            yield group
            group, longest = [], len(text.split())
        group.append(text)
    if group:
        yield group
