"""The catalogue: which photos, regions, documents and sentences a collection holds, in a SQL database."""

from engine.catalogue.catalogue import Catalogue, CollectionInfo, PhotoInfo, SentenceInfo

__all__ = ["Catalogue", "CollectionInfo", "PhotoInfo", "SentenceInfo"]
