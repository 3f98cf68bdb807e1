"""Work on texts that may hang, crash or fill the memory, done in a process that may die of it.

Grammars are C code that meets texts made to break it: some loop for ever in code that no callback interrupts, some run
over a buffer, some recurse until the stack is full. So a worker keeps a child process, started once and again after
each death, and hands it batches of items. Limits are the kernel's: processor time for each item, memory for the
process. An item that the child dies of is answered with a word of its own, and the next item goes to a new child.
"""

import contextlib
import json
import os
import pickle
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import IO, Any, TypeVar

_TOGETHER = 50
"""Answers that are sent at once: each sending wakes the parent. Those that a dying child has not sent are asked again.
"""

Item = TypeVar("Item")
Answer = dict[str, Any]


class Failed(Exception):  # noqa: N818 - named for what it says
    """Work on a text that failed for a reason with a word of its own (snake_case)."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


@dataclass(frozen=True)
class Limits:
    """What one item may take."""

    seconds: float
    """Processor time, so that a busy machine does not change what is found to be too slow."""
    megabytes: int
    """Address space of the child, the interpreter and its libraries (some 700) included."""


def each(function: Callable[[Item], Answer], items: Iterable[Item], limits: Limits) -> Iterator[Answer | Failed]:
    """Answer every item, in order, from a child process that may die of one.

    ``function`` must be importable (a module's function or a ``partial`` of one), its answer a dictionary that JSON can
    hold. What it raises is answered with the exception's class in snake_case; over its time with ``parse_timeout``, a
    crash or a lack of memory with ``parser_crashed``.
    """
    yield from _child(limits).each(function, list(items))


def error_word(error: Exception) -> str:
    """Name an exception by its class in snake_case; its message may hold what was found, and stays out."""
    if isinstance(error, Failed):
        return error.word
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(error).__name__).lower()


class _Child:
    """A process that answers batches of items; a new one when it has died, or in another process than its parent."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._parent = 0

    def each(self, function: Callable[[Item], Answer], items: Sequence[Item]) -> Iterator[Answer | Failed]:
        done = 0
        together = _TOGETHER
        try:
            while done < len(items):
                for answer in self._answers(function, items[done:], together):
                    done += 1
                    yield answer
                if done < len(items):
                    cause = self._cause_of_death()
                    if together == 1:
                        done += 1
                        yield Failed(cause)
                    together = 1  # what it died of is known only when nothing is waiting to be sent
        finally:
            if done < len(items):  # nobody wants the rest, which must not be taken for answers to other questions
                self._end(kill=True)

    def _answers(
        self, function: Callable[[Item], Answer], items: Sequence[Item], together: int
    ) -> Iterator[Answer | Failed]:
        """Yield the answers that come before the child dies, or all of them; it sends so many of them together."""
        process = self._started()
        with contextlib.suppress(BrokenPipeError):
            pickle.dump((function, items, together), _pipe(process.stdin))
            _pipe(process.stdin).flush()
        for _, line in zip(items, _pipe(process.stdout), strict=False):  # a line is read only for an item
            answer = json.loads(line)
            yield Failed(answer) if isinstance(answer, str) else answer

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and (self._parent != os.getpid() or self._process.poll() is not None):
            self._process = None
        if self._process is None:
            code = "from codemill.core import isolation; isolation.serve()"
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, a constant
                [sys.executable, "-c", code, str(self._limits.seconds), str(self._limits.megabytes)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            )
            self._parent = os.getpid()
        return self._process

    def _cause_of_death(self) -> str:
        return "parse_timeout" if self._end(kill=False) == -signal.SIGPROF else "parser_crashed"

    def _end(self, *, kill: bool) -> int:
        """See the child off; return what it ended with."""
        process, self._process = self._process, None
        if process is None:
            return 0
        if kill:
            process.kill()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(BrokenPipeError):
                _pipe(pipe).close()
        return process.wait()


@cache
def _child(limits: Limits) -> _Child:
    return _Child(limits)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - all were asked for
    return pipe


def serve() -> None:
    """Be the child: answer batches from standard input until it ends."""
    seconds, megabytes = float(sys.argv[1]), int(sys.argv[2])
    # What a library prints must not pass for an answer.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(EOFError, BrokenPipeError):  # the parent has gone
        while True:
            function, items, together = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the parent
            for first in range(0, len(items), together):
                answers.writelines(_answered(function, items[first : first + together], seconds))
                answers.flush()


def _answered(function: Callable[[Any], Answer], items: Sequence[Any], seconds: float) -> list[bytes]:
    """Return a line for each item."""
    lines = []
    for item in items:
        # Nobody handles the signal, so that it ends the process wherever it is.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            answer: Answer | str = function(item)
        except MemoryError:  # what fills the memory may stay, and then nothing else finds room
            os._exit(1)
        except Exception as error:  # whatever breaks the function is that item's answer
            answer = error_word(error)
        signal.setitimer(signal.ITIMER_PROF, 0)
        lines.append(json.dumps(answer).encode() + b"\n")
    return lines
