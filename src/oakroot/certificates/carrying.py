"""Carries out the steps of a dialogue: in this thread, or without holding up an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Generator
from typing import TypeVar

from oakroot.certificates.dialogue import Ask, Event, Pause, Step, Tell
from oakroot.client.server import ServerError

T = TypeVar("T")

Progress = Callable[[str], None]
"""Is told how far we are, in a few words each time."""
Answer = Callable[[Ask], bytes]
"""Gives the reply, or raises ServerError."""


def run(steps: Generator[Step, Event, T], answer: Answer, progress: Progress | None) -> T:
    """Carries them out, one after the other, and gives what the dialogue comes to."""
    with contextlib.closing(steps):
        try:
            step = next(steps)
            while True:
                try:
                    reply = answer(step) if isinstance(step, Ask) else b""
                except ServerError as error:
                    step = steps.throw(error)
                    continue
                _tell(step, progress)
                if isinstance(step, Pause):
                    time.sleep(step.seconds)
                step = steps.send(Event(time.time(), reply))
        except StopIteration as end:
            value: T = end.value
            return value


async def run_async(steps: Generator[Step, Event, T], answer: Answer, progress: Progress | None) -> T:
    """As `run`. A question under way when this is cancelled ends by itself, in a thread of its own."""
    with contextlib.closing(steps):
        try:
            step = next(steps)
            while True:
                try:
                    reply = await asyncio.to_thread(answer, step) if isinstance(step, Ask) else b""
                except ServerError as error:
                    step = steps.throw(error)
                    continue
                _tell(step, progress)
                if isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                step = steps.send(Event(time.time(), reply))
        except StopIteration as end:
            value: T = end.value
            return value


def _tell(step: Step, progress: Progress | None) -> None:
    if isinstance(step, Tell) and progress is not None:
        progress(step.text)
