"""A photo that comes with a request: bounded in bytes as it came in, its content is looked at, never its name."""

from typing import Annotated

from fastapi import Depends, File, UploadFile


def _read(photo: Annotated[UploadFile, File(description="JPEG, PNG, WebP or GIF")]) -> bytes:
    return photo.file.read()


UploadedPhoto = Annotated[bytes, Depends(_read)]
