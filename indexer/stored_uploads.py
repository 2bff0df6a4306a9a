"""What was uploaded into a collection, for a run that encodes everything again."""

from pathlib import Path

from sqlalchemy import select

from engine.catalogue import Catalogue, CollectionInfo
from engine.catalogue.tables import LIVE, Document, Photo, Sentence
from engine.settings import Settings
from indexer.sources import Scan, SourceSentence
from indexer.uploads import UploadFolder, read_sentences


def add_uploads(scan: Scan, catalogue: Catalogue, collection: CollectionInfo, settings: Settings) -> None:
    """Add the uploaded photos and documents that a collection holds, and speak for them.

    Raises:
        StorageError: a document's file cannot be read.
    """
    root = str(UploadFolder(settings, collection.id).root)
    photos = select(Photo.path).where(Photo.collection_id == collection.id, Photo.state == LIVE, Photo.managed)
    held = (Document.collection_id == collection.id, Document.state == LIVE, Document.managed)
    described = select(Document.id, Sentence.number, Photo.path).join_from(Document, Sentence).join(Photo).where(*held)
    with catalogue.read() as connection:
        paths = connection.scalars(photos.order_by(Photo.id)).all()
        documents = connection.execute(select(Document.id, Document.path, Document.name).where(*held)).all()
        links = {(row.id, row.number): row.path for row in connection.execute(described)}
    for path in paths:
        scan.add_photo(path, root)
    for document in documents:
        # a photo from a folder may have another path by now than when the sentences were sent
        sentences = [
            SourceSentence(sentence.text, links.get((document.id, number), sentence.photo))
            for number, sentence in enumerate(read_sentences(Path(document.path)))
        ]
        scan.add_document(document.path, root, sentences, document.name)
    scan.roots.add(root)
