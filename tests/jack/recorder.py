"""The recorder process of ``tests.jack.server.JackMidiRecorder``: one word in on stdin, one line of JSON out."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import sys
import threading

import jack


def frames_to_us(client: jack.Client):
    """jack_frames_to_time, which JACK-Client does not wrap."""
    function = ctypes.PyDLL(jack._libname).jack_frames_to_time
    function.restype = ctypes.c_uint64
    function.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    pointer = int(jack._ffi.cast("uintptr_t", client._ptr))
    return lambda frame: function(pointer, frame & 0xFFFFFFFF)


def main(name: str, sources: list[str]) -> None:
    client = jack.Client(name)
    ports = [client.midi_inports.register(f"in{index}") for index in range(len(sources))]
    us_of = frames_to_us(client)
    rows: list[tuple[int, int, bytes, int]] = []
    xruns = jumps = 0
    due: int | None = None
    base = [client.frame_time, 0]  # last 32-bit frame time and what to add, to unwrap it

    @client.set_process_callback
    def process(frames: int) -> None:
        nonlocal due, jumps
        start = client.last_frame_time
        jumps += due is not None and start != due
        due = (start + frames) & 0xFFFFFFFF
        if start < base[0] - 2**31:
            base[1] += 2**32
        base[0] = start
        for index, port in enumerate(ports):
            for offset, data in port.incoming_midi_events():
                rows.append((start + base[1] + offset, us_of(start + offset), bytes(data), index))

    @client.set_xrun_callback
    def xrun(_delay: float) -> None:
        nonlocal xruns
        xruns += 1

    def connected() -> list[str]:
        out = []
        for source, port in zip(sources, ports, strict=True):
            with contextlib.suppress(jack.JackError):  # it is not there yet
                if client.get_port_by_name(source) in client.get_all_connections(port):
                    out.append(source)
        return out

    def keep_connecting() -> None:
        while not stop.wait(0.05):
            there = set(connected())
            for source, port in zip(sources, ports, strict=True):
                if source not in there:
                    with contextlib.suppress(jack.JackError):  # it is not there yet
                        client.connect(source, port)

    def clear() -> bool:
        nonlocal xruns, jumps
        rows.clear()
        xruns = jumps = 0
        return True

    def answer(word: str):
        if word == "rows":
            rows.sort(key=lambda row: row[0])
            return {
                "rows": [(frame, us, data.hex(), index) for frame, us, data, index in rows],
                # that a server lost time is told from a thread of its own, maybe too late; its frames tell at once
                "xruns": max(xruns, jumps),
                "rate": client.samplerate,
            }
        return {"count": lambda: len(rows), "connected": connected, "clear": clear}[word]()

    stop = threading.Event()
    gc.collect()
    gc.freeze()
    gc.disable()
    sys.setswitchinterval(0.0005)
    client.activate()
    threading.Thread(target=keep_connecting, daemon=True).start()
    for line in sys.stdin:
        print(json.dumps(answer(line.strip())), flush=True)
    stop.set()
    client.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
