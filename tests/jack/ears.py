"""The recorder process of ``tests.jack.sound``: keeps what one JACK port plays; ``ears.py SOURCE FILE``.

Ready once it prints ``connected``; ends with its input, having written float32 samples from the first frame that it
prints then, frames that the server skipped as silence, and the server's xruns.
"""

from __future__ import annotations

import json
import sys
import time

import jack
import numpy as np


def main(source: str, path: str) -> None:
    client = jack.Client("ears")
    port = client.inports.register("in")
    blocks: list[tuple[int, np.ndarray]] = []
    xruns: list[int] = []

    @client.set_process_callback
    def process(_frames: int) -> None:
        blocks.append((client.last_frame_time, port.get_array().copy()))

    client.set_xrun_callback(lambda _delay: xruns.append(client.frame_time))
    client.activate()
    deadline = time.monotonic() + 20
    while source not in [other.name for other in client.get_all_connections(port)]:
        if any(other.name == source for other in client.get_ports(is_audio=True, is_output=True)):
            client.connect(source, port)
        assert time.monotonic() < deadline, f"{source} is not there"
        time.sleep(0.01)
    blocks.clear()
    xruns.clear()
    print("connected", flush=True)
    sys.stdin.read()
    client.deactivate()
    first, (last, tail) = blocks[0][0], blocks[-1]
    sound = np.zeros(last + len(tail) - first, dtype=np.float32)
    for frame, block in blocks:
        sound[frame - first : frame - first + len(block)] = block
    sound.tofile(path)
    print(json.dumps({"first": first, "xruns": xruns}), flush=True)
    client.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
