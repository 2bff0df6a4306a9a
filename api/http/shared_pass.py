"""Texts that come together are encoded in one forward pass.

The first text that comes is encoded at once. What comes while that runs waits, and is encoded together when it ends:
nobody waits for a timer, and the more come, the larger the passes.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from engine.encoder import Encoder, SentenceFragments

MOST_TEXTS = 64  # of one pass; padding makes larger ones slower than two

Encoded = list[SentenceFragments]


class SharedPass:
    """Encodes texts in a thread of its own; for one event loop.

    Args:
        encoder: the model.
        passed: is told how many texts a pass had.
    """

    def __init__(self, encoder: Encoder, passed: Callable[[int], None]) -> None:
        self._encoder, self._passed = encoder, passed
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sentences")
        self._waiting: list[tuple[Sequence[str], asyncio.Future[Encoded]]] = []
        self._running: asyncio.Task[None] | None = None

    async def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode texts, results in input order."""
        answer: asyncio.Future[Encoded] = asyncio.get_running_loop().create_future()
        self._waiting.append((texts, answer))
        if self._running is None:
            self._running = asyncio.create_task(self._encode_all())
        return await answer

    def close(self) -> None:
        """Wait for the pass that runs, drop the others."""
        self._thread.shutdown(cancel_futures=True)

    async def _encode_all(self) -> None:
        """Encode what waits, pass after pass, until nothing does."""
        try:
            while self._waiting:
                await self._pass(self._next())
        finally:
            self._running = None

    def _next(self) -> list[tuple[Sequence[str], asyncio.Future[Encoded]]]:
        """Take the texts of the next pass: one question at least, the next ones while there is room."""
        taken, count = [self._waiting.pop(0)], 0
        while self._waiting and (count := count + len(taken[-1][0])) + len(self._waiting[0][0]) <= MOST_TEXTS:
            taken.append(self._waiting.pop(0))
        return taken

    async def _pass(self, asked: Sequence[tuple[Sequence[str], asyncio.Future[Encoded]]]) -> None:
        """Encode some questions in one pass; where that fails, each alone, so that one spoils no other's."""
        texts = [text for each, _ in asked for text in each]
        try:
            found = await asyncio.get_running_loop().run_in_executor(
                self._thread, self._encoder.encode_sentences, texts
            )
        except Exception as error:
            if len(asked) == 1:
                _settle(asked[0][1], error)
                return
            for one in asked:
                await self._pass([one])
            return
        self._passed(len(texts))
        rest = iter(found)
        for each, answer in asked:
            _settle(answer, [next(rest) for _ in each])


def _settle(answer: asyncio.Future[Encoded], outcome: Encoded | Exception) -> None:
    """Give an answer to who asked, if he is still there."""
    if answer.done():
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
