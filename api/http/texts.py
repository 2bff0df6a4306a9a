"""Routes of documents, which are sentences under one name, and of sentences."""

from typing import Annotated, Self

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from api.http.fields import LARGEST_ID, LONGEST_NAME, PRINTABLE, TEXT, After, CollectionName, Count
from api.http.jobs import HasRoom, JobDocument, enqueue
from api.http.service import Service, ServiceOfApp
from engine.catalogue import SentenceInfo
from engine.catalogue.documents import DocumentInfo, document, document_page, sentence_page
from engine.exceptions import BadRequest
from indexer.requests import DeleteRequest, DocumentRequest
from indexer.text_files import clean
from indexer.uploads import UploadedSentence, UploadFolder, shown_name

MOST_SENTENCES = 10_000  # of one document
LONGEST_SENTENCE = 5000  # characters

DocumentId = Annotated[int, Path(ge=1, le=LARGEST_ID, examples=[5])]

router = APIRouter(tags=["documents"])


class TextDocument(BaseModel):
    """A document of a collection."""

    id: int = Field(examples=[5])
    name: str = Field(description="the file's, without its folder, or the sender's", examples=["beach.txt"])
    sentences: int = Field(examples=[2])

    @classmethod
    def of(cls, info: DocumentInfo) -> Self:
        """Say of a document what is for all to know."""
        return cls(id=info.id, name=info.name, sentences=info.sentences)


class DocumentPage(BaseModel):
    """Some documents of a collection, by id."""

    documents: list[TextDocument]
    after: int | None = Field(description="give this back for the next page; null: this was the last", examples=[42])


class SentenceDocument(BaseModel):
    """A sentence of a collection."""

    id: int = Field(examples=[170])
    text: str = Field(examples=["Two dogs play on the beach."])
    document: str = Field(description="name of its document", examples=["beach.txt"])
    photo_id: int | None = Field(description="the photo that it describes", examples=[17])

    @classmethod
    def of(cls, info: SentenceInfo) -> Self:
        """Say of a sentence what is for all to know."""
        return cls(id=info.id, text=info.text, document=info.document_name, photo_id=info.photo_id)


class SentencePage(BaseModel):
    """Some sentences of a collection, by id."""

    sentences: list[SentenceDocument]
    after: int | None = Field(description="give this back for the next page; null: this was the last", examples=[420])


class NewSentence(BaseModel):
    """A sentence, and the photo of the same collection that it describes, if any."""

    text: str = Field(min_length=1, max_length=LONGEST_SENTENCE, pattern=TEXT, examples=["Two dogs play."])
    photo_id: int | None = Field(None, ge=1, le=LARGEST_ID, examples=[17])


class NewDocument(BaseModel):
    """Sentences under one name."""

    collection: str = Field(max_length=LONGEST_NAME, examples=["holidays"])
    name: str = Field(min_length=1, max_length=200, pattern=PRINTABLE, examples=["beach"])
    sentences: list[NewSentence] = Field(min_length=1, max_length=MOST_SENTENCES)


@router.get("/documents")
async def list_documents(
    service: ServiceOfApp, collection: CollectionName, after: After = 0, count: Count = 50
) -> DocumentPage:
    """List the documents of a collection, page by page."""
    found = await service.disk_work.run(document_page, service.catalogue, collection, after, count + 1)
    shown = [TextDocument.of(info) for info in found[:count]]
    return DocumentPage(documents=shown, after=shown[-1].id if len(found) > count else None)


@router.post("/documents", status_code=202, dependencies=[HasRoom])
async def add_document(service: ServiceOfApp, asked: NewDocument) -> JobDocument:
    """Add sentences to a collection, by a job; its report names those without a word that the model knows."""
    request = await service.disk_work.run(_receive, service, asked)
    return await enqueue(service, "documents", asked.collection, request)


@router.delete("/documents/{document_id}", status_code=202, dependencies=[HasRoom])
async def drop_document(service: ServiceOfApp, document_id: DocumentId) -> JobDocument:
    """Drop a document and its sentences from its collection, by a job.

    A document that is a file of the server's is left alone there, and comes back when its folder is indexed again.
    """
    info = await service.disk_work.run(document, service.catalogue, document_id)
    return await enqueue(service, "delete", info.collection, DeleteRequest([info.path]))


@router.get("/sentences")
async def list_sentences(
    service: ServiceOfApp,
    collection: CollectionName,
    document: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="of this document alone")] = None,
    after: After = 0,
    count: Count = 50,
) -> SentencePage:
    """List the sentences of a collection, or of one of its documents, page by page."""
    found = await service.disk_work.run(sentence_page, service.catalogue, collection, document, after, count + 1)
    shown = [SentenceDocument.of(info) for info in found[:count]]
    return SentencePage(sentences=shown, after=shown[-1].id if len(found) > count else None)


def _receive(service: Service, asked: NewDocument) -> DocumentRequest:
    """Put sentences aside; the photos that they describe are named by their paths, which the indexer knows them by."""
    collection = service.catalogue.collection(asked.collection)
    wanted = {sentence.photo_id for sentence in asked.sentences if sentence.photo_id is not None}
    photos = service.catalogue.photos(list(wanted))
    unknown = [number for number in wanted if number not in photos or photos[number].collection != collection.name]
    if unknown:
        raise BadRequest(f"there is no photo {min(unknown)} in the collection {asked.collection!r}")
    sentences = [
        UploadedSentence(clean(sentence.text), photos[sentence.photo_id].path if sentence.photo_id else None)
        for sentence in asked.sentences
    ]
    token = UploadFolder(service.settings, collection.id).receive_sentences([s for s in sentences if s.text])
    return DocumentRequest(token, shown_name(asked.name) or "document")
