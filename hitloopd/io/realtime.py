"""Real-time rights for the player, and its way of waiting.

What a musician wants to know: with these rights the clock stays within some µs even while everything else on the
machine is busy; without them it can be milliseconds late under load. Each right is asked for by itself, the program
goes on without, and the report names the one command that mends it.

Conventions: times are monotonic ns. This module must not know what is being waited for, and imports nothing slow:
``ctypes`` only once rights are asked for.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

DEFAULT_PRIORITY: Final = 60  # below JACK's usual 70, so that the server is never kept waiting by its client
SWITCH_INTERVAL_S: Final = 0.0005  # helper threads of the player give the GIL back after 0.5 ms, not 5

_MCL_CURRENT: Final = 1
_MCL_FUTURE: Final = 2
_MCL_ONFAULT: Final = 4
_PR_SET_TIMERSLACK: Final = 29
_CAP_IPC_LOCK_BIT: Final = 14
_QOS_USER_INTERACTIVE: Final = 0x21
_WIN_HIGH_PRIORITY_CLASS: Final = 0x80
_WIN_THREAD_TIME_CRITICAL: Final = 15

_LIMITS: Final = "/etc/security/limits.d/95-audio.conf"
_MEND_FIFO: Final = (
    f"echo '@audio - rtprio 95' | sudo tee -a {_LIMITS} && sudo usermod -aG audio \"$USER\", then log in again"
    " (systemd unit: LimitRTPRIO=95)"
)
_MEND_LOCK: Final = (
    f"echo '@audio - memlock unlimited' | sudo tee -a {_LIMITS} && sudo usermod -aG audio \"$USER\", then log in again"
    " (systemd unit: LimitMEMLOCK=infinity)"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One right: whether it was granted, what came of it, and the command that mends a refusal."""

    name: str
    granted: bool
    detail: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class RealtimeReport:
    """What ``enable`` got. Picklable, for ``doctor`` and ``health``."""

    steps: tuple[Step, ...]

    @property
    def realtime(self) -> bool:
        """True when the scheduler was told to prefer this process."""
        return any(step.granted for step in self.steps if step.name == "scheduling")

    @property
    def missing(self) -> tuple[Step, ...]:
        """The steps that were refused."""
        return tuple(step for step in self.steps if not step.granted)

    @property
    def text(self) -> str:
        """One line for people: ``scheduling FIFO 60; no memory: …``."""
        return "; ".join(f"{'' if step.granted else 'no '}{step.name}: {step.detail}" for step in self.steps)


class _RefusedError(Exception):
    """A step that can't be had; the arguments are the reason and the mending command."""


def enable(priority: int = DEFAULT_PRIORITY) -> RealtimeReport:
    """Ask for every right this system has, for the calling thread and its process; never raises.

    Call it once, in the player, after imports and set-up: what exists then is frozen out of garbage collection.

    Args:
        priority: SCHED_FIFO priority 1..99; less where the limit says so.

    Thread: the one that will play. Real-time: no.
    """
    return RealtimeReport(tuple(_attempt(name, ask, priority) for name, ask in _steps(sys.platform)))


def hurry_thread(priority: int) -> bool:
    """Prefer the calling thread to everything ordinary, and ask for nothing else; False where that is not permitted.

    For a thread that only passes on what plays: on busy cores it would otherwise wait its turn for tens of ms.

    Args:
        priority: SCHED_FIFO priority 1..99; less where the limit says so.

    Thread: the one that is meant. Real-time: no.
    """
    if not sys.platform.startswith("linux"):
        return False
    return _attempt("scheduling", _fifo, priority).granted


def assist_thread() -> bool:
    """Let the calling helper thread of the player run right behind it; False where that is not permitted.

    Not with ordinary priority: a helper holds the interpreter lock now and then, and if something ordinary takes its
    core meanwhile, the player waits for both. A thread that a driver hurried already stays as it is.

    Thread: helper. Real-time: no.
    """
    if sys.platform.startswith("linux") and os.sched_getscheduler(0) == os.SCHED_OTHER:
        return hurry_thread(DEFAULT_PRIORITY - 1)
    return False


def relax_thread() -> None:
    """Give the calling helper thread ordinary priority, whatever it inherited. Thread: helper. Real-time: no."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):  # it had none to give back
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _attempt(name: str, ask: Callable[[int], str], priority: int) -> Step:
    try:
        return Step(name, granted=True, detail=ask(priority))
    except _RefusedError as refusal:
        reason, mend = refusal.args
        return Step(name, granted=False, detail=reason, mend=mend)
    except Exception as error:  # noqa: BLE001 - a right that can't be had must not keep the player from playing
        return Step(name, granted=False, detail=f"not available here ({error})")


def _steps(platform: str) -> tuple[tuple[str, Callable[[int], str]], ...]:
    """The table of what is asked for, by system."""
    common = (("garbage collection", _freeze_garbage), ("thread switch", _short_switch))
    if platform.startswith("linux"):
        return (("scheduling", _fifo), ("memory", _lock_memory), ("timer slack", _timer_slack), *common)
    if platform == "darwin":
        return (("scheduling", _mac_interactive), ("memory", _not_here), ("timer slack", _not_here), *common)
    if platform == "win32":
        return (("scheduling", _windows_priority), ("memory", _not_here), ("timer slack", _windows_timer), *common)
    return (("scheduling", _not_here), ("memory", _not_here), ("timer slack", _not_here), *common)


def _fifo(priority: int) -> str:
    """SCHED_FIFO as high as asked or as the limit allows."""
    for wanted in (priority, min(priority, _rtprio_limit())):
        if wanted < 1:
            break
        with contextlib.suppress(PermissionError):  # then lower, or told below
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(wanted))
            return f"FIFO {wanted}"
    raise _RefusedError(f"SCHED_FIFO {priority} is not permitted (rtprio limit {_rtprio_limit()})", _MEND_FIFO)


def _rtprio_limit() -> int:
    import resource  # noqa: PLC0415 - POSIX only

    soft, hard = resource.getrlimit(resource.RLIMIT_RTPRIO)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_RTPRIO, (hard, hard))
    return 99 if hard == resource.RLIM_INFINITY else hard


def _lock_memory(_priority: int) -> str:
    """Lock what is used, on first use: locking everything mapped would cost hundreds of MB of libraries never touched.

    Pages mapped later are included only where no limit can make a later allocation fail.
    """
    flags = _MCL_CURRENT | _MCL_ONFAULT | (_MCL_FUTURE if _unlimited_lock() else 0)
    code = _libc_call("mlockall", flags)
    if code:
        raise _RefusedError(f"mlockall: {os.strerror(code)}", _MEND_LOCK)
    return "locked on use" if flags & _MCL_FUTURE else "what is mapped now is locked on use"


def _unlimited_lock() -> bool:
    import resource  # noqa: PLC0415 - POSIX only

    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY:
        return True
    with open("/proc/self/status", encoding="utf-8") as status:  # noqa: PTH123 - pathlib would cost the player 10 ms
        capabilities = next((int(line.split()[1], 16) for line in status if line.startswith("CapEff:")), 0)
    return bool(capabilities >> _CAP_IPC_LOCK_BIT & 1)


def _timer_slack(_priority: int) -> str:
    """Timers fire when they are due and not up to 50 µs later, to share a wake-up."""
    code = _libc_call("prctl", _PR_SET_TIMERSLACK, 1, 0, 0, 0)
    if code:
        raise _RefusedError(f"prctl: {os.strerror(code)}", "")
    return "1 ns"


def _libc_call(name: str, *arguments: int) -> int:
    """Call a libc function; its errno, or 0."""
    import ctypes  # noqa: PLC0415 - not needed where no rights are asked for

    libc = ctypes.CDLL(None, use_errno=True)
    result = getattr(libc, name)(*(ctypes.c_ulong(a) if i else ctypes.c_int(a) for i, a in enumerate(arguments)))
    return ctypes.get_errno() if result else 0


def _freeze_garbage(_priority: int) -> str:
    gc.collect()
    gc.freeze()
    gc.disable()
    return "off"


def _short_switch(_priority: int) -> str:
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    return f"{SWITCH_INTERVAL_S * 1e6:.0f} us"


def _mac_interactive(_priority: int) -> str:
    code = _libc_call("pthread_set_qos_class_self_np", _QOS_USER_INTERACTIVE, 0)
    if code:
        raise _RefusedError(f"pthread_set_qos_class_self_np: {os.strerror(code)}", "")
    return "QoS user-interactive"


def _windows_priority(_priority: int) -> str:
    kernel: Any = _windows_dll("kernel32")
    if not kernel.SetPriorityClass(kernel.GetCurrentProcess(), _WIN_HIGH_PRIORITY_CLASS):
        raise _RefusedError("SetPriorityClass was refused", "")
    kernel.SetThreadPriority(kernel.GetCurrentThread(), _WIN_THREAD_TIME_CRITICAL)
    return "high priority class, time-critical thread"


def _windows_timer(_priority: int) -> str:
    if _windows_dll("winmm").timeBeginPeriod(1):
        raise _RefusedError("timeBeginPeriod(1) was refused", "")
    return "timer period 1 ms"


def _windows_dll(name: str) -> Any:  # noqa: ANN401 - WinDLL is unknown to type checkers elsewhere
    import ctypes  # noqa: PLC0415 - not needed where no rights are asked for

    loader: Any = ctypes
    library = loader.WinDLL(name)
    if name == "kernel32":
        library.GetCurrentProcess.restype = ctypes.c_void_p
        library.GetCurrentThread.restype = ctypes.c_void_p
        library.SetPriorityClass.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
        library.SetThreadPriority.argtypes = [ctypes.c_void_p, ctypes.c_int]
    return library


def _not_here(_priority: int) -> str:
    raise _RefusedError("not available here", "")


class Waitable(Protocol):
    """What ``select`` takes."""

    def fileno(self) -> int:
        """The descriptor; negative once closed."""
        ...


Select = Callable[[Sequence[Waitable], Sequence[Waitable], Sequence[Waitable], float], Sequence[Sequence[Waitable]]]


def wait_until(
    deadline_ns: int,
    sources: Sequence[Waitable] = (),
    *,
    spin_ns: int = 0,
    clock: Callable[[], int] = time.monotonic_ns,
    select_: Select = select.select,
) -> Sequence[Waitable]:
    """Wait for the deadline or for a source that can be read, whichever comes first.

    Sleeps in ``select`` (whose timeout has µs; epoll's has ms) until ``spin_ns`` before the deadline, then spins on the
    clock without looking at the sources.

    Args:
        deadline_ns: monotonic; one in the past only looks.
        sources: links, inputs; closed ones (negative ``fileno``) are passed over.
        spin_ns: how long before the deadline sleeping ends and spinning begins.
        clock: the time.
        select_: ``select.select``.

    Returns:
        The sources that can be read; empty when the deadline has come.

    Thread: player. Real-time: yes.
    """
    pause_ns = deadline_ns - spin_ns - clock()
    if pause_ns > 0:
        live = [source for source in sources if source.fileno() >= 0]
        if live or sys.platform != "win32":
            ready = select_(live, (), (), pause_ns / 1e9)[0]
        else:
            time.sleep(pause_ns / 1e9)  # select on Windows refuses an empty list
            ready = ()
        if ready:
            return ready
    while clock() < deadline_ns:
        continue
    return ()


class Waiter:
    """``wait_until`` with its sources kept. On Linux one descriptor stands for all of them, which wakes sooner.

    Args:
        sources: what ends the wait early.
    """

    def __init__(self, sources: Sequence[Waitable] = ()) -> None:
        self._sources = tuple(sources)
        self._epoll: Any = select.epoll() if hasattr(select, "epoll") else None
        self._by_fd: dict[int, Waitable] = {}
        self.renew()

    def renew(self) -> None:
        """Look which sources can be waited for by now: ports come and go. Thread: player. Real-time: yes."""
        by_fd = {source.fileno(): source for source in self._sources if source.fileno() >= 0}
        if self._epoll is not None and by_fd != self._by_fd:
            for fd in self._by_fd:
                with contextlib.suppress(OSError):  # a descriptor that was closed left by itself
                    self._epoll.unregister(fd)
            for fd in by_fd:
                self._epoll.register(fd, select.EPOLLIN)
        self._by_fd = by_fd

    def wait(self, deadline_ns: int) -> Sequence[Waitable]:
        """Wait; see ``wait_until``. Thread: player. Real-time: yes."""
        if self._epoll is None:
            return wait_until(deadline_ns, self._sources)
        if not wait_until(deadline_ns, (self._epoll,)):
            return ()
        return [self._by_fd[fd] for fd, _ in self._epoll.poll(0) if fd in self._by_fd]

    def close(self) -> None:
        """Let the descriptor go. Thread: player. Real-time: no."""
        if self._epoll is not None:
            self._epoll.close()
