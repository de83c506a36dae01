"""Interrupts: a Ctrl-C that JAX or an import would swallow is remembered, and sent again."""

import signal
import sys
from threading import Timer, main_thread
from types import FrameType

# Guesses: a callback of the garbage collector ends within 0.05 s, the import of a framework within 40 times that; a
# person's own file that never ends its import is interrupted after these 2 s.
_LATER, _MOST = 0.05, 40  # seconds, times


def remember_interrupts() -> list[int]:
    """Let Ctrl-C raise KeyboardInterrupt, and return a list to which each is added, too.

    JAX has a callback in the garbage collector that swallows exceptions, so that the run would go on. An exception
    during the import of a compiled module may crash it. In both places the signal is sent once more, a little later;
    but not for ever, since a person's own file is imported as well, and its import may never end.
    """
    # A list, since a signal handler can return nothing: the caller looks whether it is still empty.
    seen: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        if len(seen) <= _MOST and _must_wait(frame):
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


def _must_wait(frame: FrameType | None) -> bool:
    """Return whether the program is inside JAX's callback, or an import."""
    while frame is not None:
        if frame.f_code.co_name == "_xla_gc_callback" or frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        # The callback may itself have called something, so the whole stack counts.
        frame = frame.f_back
    return False
