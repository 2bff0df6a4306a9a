"""Texts that come together share a pass; each gets its own result."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from api.http.shared_pass import MOST_TEXTS, SharedPass
from engine.encoder import SentenceFragments
from tests.tiny_encoder import TinyEncoder


class HeldEncoder(TinyEncoder):
    """Waits in every pass until it may go on; a text "bad" fails."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def encode_sentences(self, texts: Sequence[str]) -> list[SentenceFragments]:
        assert self.go.wait(10)
        if "bad" in texts:
            raise RuntimeError("bad")
        return super().encode_sentences(texts)


async def ask(shared: SharedPass, encoder: HeldEncoder, questions: Sequence[Sequence[str]]) -> list[object]:
    """Ask the first question, then the others while that is being answered."""
    asked = [asyncio.create_task(shared.encode(texts)) for texts in questions[:1]]
    await asyncio.sleep(0.01)
    asked += [asyncio.create_task(shared.encode(texts)) for texts in questions[1:]]
    await asyncio.sleep(0.01)
    encoder.go.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    return [answer if isinstance(answer, Exception) else [found.words for found in answer] for answer in answers]  # type: ignore[union-attr]


def passes(questions: Sequence[Sequence[str]]) -> tuple[list[object], list[int]]:
    encoder, sizes = HeldEncoder(), list[int]()
    shared = SharedPass(encoder, sizes.append)
    try:
        return asyncio.run(ask(shared, encoder, questions)), sizes
    finally:
        shared.close()


def test_the_first_goes_at_once_and_the_others_together() -> None:
    answers, sizes = passes([["red wall"], ["dog"], ["two dogs", "run"], ["cat"]])
    assert answers == [[["red", "wall"]], [["dog"]], [["two", "dogs"], ["run"]], [["cat"]]]
    assert sizes == [1, 4]


def test_a_pass_has_a_largest_size() -> None:
    answers, sizes = passes([["one"], *([f"word{number}"] for number in range(MOST_TEXTS + 5))])
    assert len(answers) == MOST_TEXTS + 6
    assert sizes == [1, MOST_TEXTS, 5]
    answers, sizes = passes([["one"], ["many"] * (MOST_TEXTS + 1), ["two"]])
    assert len(answers[1]) == MOST_TEXTS + 1  # type: ignore[arg-type]
    assert sizes == [1, MOST_TEXTS + 1, 1]


def test_a_text_that_fails_spoils_no_other() -> None:
    answers, sizes = passes([["one"], ["two"], ["bad"], ["three"]])
    assert [answers[0], answers[1], answers[3]] == [[["one"]], [["two"]], [["three"]]]
    assert isinstance(answers[2], RuntimeError)
    assert sizes == [1, 1, 1]


def test_who_goes_away_holds_up_nobody() -> None:
    encoder = HeldEncoder()
    shared = SharedPass(encoder, lambda _: None)

    async def one_goes() -> list[list[str]]:
        gone, stays = asyncio.create_task(shared.encode(["gone"])), asyncio.create_task(shared.encode(["stays"]))
        await asyncio.sleep(0.01)
        gone.cancel()
        encoder.go.set()
        found = await stays
        with pytest.raises(asyncio.CancelledError):
            await gone
        return [sentence.words for sentence in found]

    assert asyncio.run(one_goes()) == [["stays"]]
    shared.close()
