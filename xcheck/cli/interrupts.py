"""Ctrl-C while JAX works: an interrupt that Python would swallow is noted and sent again."""

import signal
import sys
from threading import Timer, main_thread
from types import FrameType

_LATER, _MOST = 0.05, 40  # seconds, times


def remember_interrupts() -> list[int]:
    """Return a list that every Ctrl-C is noted in, beside raising KeyboardInterrupt.

    JAX has a callback in the garbage collector; an exception that falls into it is swallowed, and the run would go on.
    One that falls into the import of a compiled module may crash it. There the signal is sent once more, a little
    later; but not for ever, since a person's own file is imported, too, and may not end.
    """
    seen: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        if len(seen) <= _MOST and _busy(frame):
            Timer(_LATER, _interrupt_again, [number]).start()
            return
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    return seen


def _interrupt_again(number: int) -> None:
    """Send the signal to the main thread, and wake it if it sleeps; Windows wakes nobody."""
    if sys.platform == "win32":
        signal.raise_signal(number)
    else:
        signal.pthread_kill(main_thread().ident or 0, number)


def _busy(frame: FrameType | None) -> bool:
    """Return whether this is inside JAX's callback, or an import."""
    while frame is not None:
        if frame.f_code.co_name == "_xla_gc_callback" or frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False
