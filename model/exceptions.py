"""The exceptions of this project, one tree.

    DvsaError
    |-- PhotoError          a photo that cannot be read: what is wrong, without its path
    |-- TextError           a query or sentence without a word that can be searched
    |-- DatasetError        a dataset that is not what it should be, the item named
    |-- CheckpointError     a checkpoint that is cut short, of another version or another backbone
    |-- TrainingError       training that cannot go on
    |-- CaptionError        a caption that cannot be made as it was asked for
    `-- EngineError         see engine.exceptions

Every message is one sentence for the person who typed the command: what is wrong and what to do.
"""


class DvsaError(Exception):
    """Base of all errors that the user can do something about."""


class PhotoError(DvsaError):
    """A photo cannot be read."""


class TextError(DvsaError):
    """A text holds nothing that can be searched."""


class DatasetError(DvsaError):
    """A dataset is incomplete or malformed."""


class CheckpointError(DvsaError):
    """A checkpoint cannot be used."""


class TrainingError(DvsaError):
    """Training cannot go on."""


class CaptionError(DvsaError):
    """A caption cannot be made as it was asked for."""
