"""The JACK calls of the process callback, bound so that they keep the interpreter lock.

Why not JACK-Client's own: it wraps neither cycle times nor cheap writes, and a cffi call lets the interpreter lock go
and has to win it back, ten times a cycle, from a player that may be busy. These calls only touch memory, so they are
bound by ``ctypes.PyDLL``, which keeps the lock.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any, Final

_P = ctypes.c_void_p
_U32 = ctypes.c_uint32


class MidiEvent(ctypes.Structure):
    """``jack_midi_event_t``."""

    _fields_ = (("time", _U32), ("size", ctypes.c_size_t), ("buffer", _P))


_SIGNATURES: Final[dict[str, tuple[Any, list[Any]]]] = {
    "jack_last_frame_time": (_U32, [_P]),
    "jack_get_time": (ctypes.c_uint64, []),
    "jack_get_cycle_times": (ctypes.c_int, [_P, _P, _P, _P, _P]),
    "jack_port_get_buffer": (_P, [_P, _U32]),
    "jack_midi_clear_buffer": (None, [_P]),
    "jack_midi_get_event_count": (_U32, [_P]),
    "jack_midi_event_get": (ctypes.c_int, [_P, _P, _U32]),
    "jack_midi_event_write": (ctypes.c_int, [_P, _U32, ctypes.c_char_p, ctypes.c_size_t]),
}


class JackCalls:
    """The bound functions for one client.

    Args:
        module: the ``jack`` module of JACK-Client.
        client: a ``jack.Client``.
    """

    def __init__(self, module: Any, client: Any) -> None:  # noqa: ANN401 - JACK-Client is untyped
        self._module = module
        self._pointer = self.address(client)
        library = ctypes.PyDLL(module._libname)  # noqa: SLF001 - the library it found; searching again costs 20 ms
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype = result
            function.argtypes = arguments
        self.last_frame_time: Any = functools.partial(library.jack_last_frame_time, self._pointer)
        self._get_time: Any = library.jack_get_time
        self._cycle_times: Any = library.jack_get_cycle_times
        self.get_buffer: Any = library.jack_port_get_buffer
        self.clear: Any = library.jack_midi_clear_buffer
        self.count: Any = library.jack_midi_get_event_count
        self._event_get: Any = library.jack_midi_event_get
        self.write: Any = library.jack_midi_event_write
        self._event = MidiEvent()
        self._event_at = ctypes.addressof(self._event)
        self._frames, self._period = _U32(), ctypes.c_float()
        self._current, self._next = ctypes.c_uint64(), ctypes.c_uint64()
        self._cycle_at = [ctypes.addressof(x) for x in (self._frames, self._current, self._next, self._period)]

    def address(self, thing: Any) -> int:  # noqa: ANN401 - JACK-Client is untyped
        """Where a client or port of JACK-Client is."""
        return int(self._module._ffi.cast("uintptr_t", thing._ptr))  # noqa: SLF001 - there is no public way

    def since_cycle_start_us(self) -> int:
        """How long ago this cycle began, by the server's filtered estimate. Thread: process callback."""
        if self._cycle_times(self._pointer, *self._cycle_at):
            return 0
        return self._get_time() - self._current.value

    def event(self, buffer: int, index: int) -> tuple[int, bytes] | None:
        """One event of an input buffer as (offset, bytes). Thread: process callback. Real-time: yes."""
        if self._event_get(self._event_at, buffer, index):
            return None
        return self._event.time, ctypes.string_at(self._event.buffer, self._event.size)
