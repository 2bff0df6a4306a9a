"""The exceptions of the engine, one branch of the tree in model.exceptions.

DvsaError
`-- EngineError
|-- BadRequest          a request that makes no sense, such as k = 0
|-- CursorOutdated      the next page of a search whose collection has changed since the first
|-- UnknownCollection   no collection of that name; the message names those that exist
|-- EmptyCollection     a collection in which nothing has been published yet
|-- UnknownPhoto        no published photo of that id
|-- UnknownDocument     no published document of that id
|-- UnknownJob          no job of that id
|-- JobConflict         a job that is not in a state to be cancelled or resumed
|-- CollectionExists    a collection that is to be made and is there already
|-- PathNotAllowed      a path of the server that may not be indexed over HTTP
|-- PhotoGone           a photo whose file is no longer the one that was indexed
|-- ModelMismatch       a collection indexed by another checkpoint
|-- IndexDamaged        a snapshot that is cut short or does not match its checksums
|-- IndexOutdated       a snapshot in the format of another version
|-- BadFragments        vectors that no index takes: NaN, another D, an id twice
|-- NoDevice            a GPU was asked for where there is none
|-- CatalogueError      the database is locked, read-only, full, damaged or cannot be opened
|-- StorageError        the snapshot cannot be written: disk full, read-only
|-- BackupDamaged       a backup that is cut short or does not match its checksums
|-- SourceError         a path to index that does not exist or holds nothing
`-- CollectionBusy      another process is indexing into the collection
"""

from model.exceptions import DvsaError


class EngineError(DvsaError):
    """Base of all errors of the engine and the indexer."""


class BadRequest(EngineError):
    """A request makes no sense."""


class CursorOutdated(EngineError):
    """The collection has changed since the first page of a search."""


class UnknownCollection(EngineError):
    """There is no collection of that name."""


class EmptyCollection(EngineError):
    """Nothing has been published in the collection."""


class UnknownPhoto(EngineError):
    """There is no published photo of that id."""


class UnknownDocument(EngineError):
    """There is no published document of that id."""


class UnknownJob(EngineError):
    """There is no job of that id."""


class JobConflict(EngineError):
    """A job is not in a state to be cancelled or resumed."""


class CollectionExists(EngineError):
    """There is a collection of that name already."""


class PathNotAllowed(EngineError):
    """A path of the server may not be indexed over HTTP."""


class PhotoGone(EngineError):
    """The file of a photo is no longer the one that was indexed."""


class ModelMismatch(EngineError):
    """The collection was indexed by another checkpoint."""


class IndexDamaged(EngineError):
    """A snapshot is cut short or does not match its checksums."""


class IndexOutdated(EngineError):
    """A snapshot is in the format of another version of the program."""


class NoDevice(EngineError):
    """There is no device of the kind that was asked for."""


class BadFragments(EngineError):
    """Vectors that no index takes."""


class CatalogueError(EngineError):
    """The database of the catalogue cannot be used."""


class StorageError(EngineError):
    """A snapshot cannot be written."""


class BackupDamaged(EngineError):
    """A backup is cut short or does not match its checksums."""


class SourceError(EngineError):
    """A path to index does not exist or holds nothing that can be indexed."""


class CollectionBusy(EngineError):
    """Another process is indexing into the collection."""
