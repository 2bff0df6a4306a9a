"""Run by the tests in a process of its own: a collection lives through its steps, until the process is killed.

The steps add, change and delete photos and sentences, so that the index outgrows exact search, is trained anew, loses
parts and is joined. A moment is a number of calls that the code of engine and indexer makes in the main thread; nothing
else tells one line from the next.
"""

import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType

import engine
import indexer
from engine import faiss_index, revision
from engine.settings import Settings
from indexer.index import index_paths
from tests.tiny_encoder import TinyEncoder
from tests.workspace import make_photo

State = dict[str, int | str]
"""The files of a step: photos with their seeds, texts with their content."""

ANIMALS = ("dog", "cat", "horse", "bird", "fish", "cow", "sheep", "goose", "hare", "fox", "wolf", "bear")
ROOTS = tuple(str(Path(package.__file__ or "").parent) for package in (engine, indexer))


def photos(first: int, last: int) -> State:
    return {f"{number:02d}.png": number for number in range(first, last)}


def text(first: int, last: int) -> State:
    return {"animals.txt": " ".join(f"A {name} runs home." for name in ANIMALS[first:last])}


STEPS: list[State] = [
    photos(0, 6) | text(0, 3),
    photos(0, 12) | text(0, 12),  # both outgrow exact search
    photos(3, 14) | text(0, 12) | {"more.txt": "Rain falls."},
    photos(3, 14) | photos(30, 44) | text(0, 12) | {"more.txt": "Rain falls on the roof."},  # another codebook
    photos(30, 44) | text(4, 12),  # much is lost: parts are joined
    photos(30, 45) | {"30.png": 99} | text(4, 12),
]


def arrange(folder: Path, state: State) -> None:
    """Make a folder hold the files of a step."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        if path.name not in state:
            path.unlink()
    for name, content in state.items():
        if isinstance(content, str):
            (folder / name).write_text(content)
        else:
            make_photo(folder / name, content)


class Moment:
    """Counts calls, and kills the process at one of them."""

    def __init__(self, last: int) -> None:
        self.calls = 0
        self._last = last

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        if event in ("call", "c_call") and frame.f_code.co_filename.startswith(ROOTS):
            self.calls += 1
            if self.calls == self._last:
                os.kill(os.getpid(), signal.SIGKILL)


def small_limits() -> None:
    """Let few items do what otherwise many do."""
    faiss_index.EXACT_UP_TO = 39
    revision.MERGED_AT_ONCE = 12


def main(home: str, folder: str, last: int, log: str) -> None:
    """Go through the steps; each that is acknowledged is a line of the log, with what was renewed and the calls."""
    small_limits()
    moment = Moment(last)
    for number, state in enumerate(STEPS):
        arrange(Path(folder), state)
        sys.setprofile(moment)
        report = index_paths([Path(folder)], "test", TinyEncoder(), Settings(home=Path(home), workers=1))
        sys.setprofile(None)
        with open(log, "a") as file:
            file.write(json.dumps([number, moment.calls, report.renewed]) + "\n")
