"""The tests' own recorder, checked against a third-party master."""

from __future__ import annotations

import signal
import time

import pytest

from tests.jack.server import JackMidiRecorder, end, until
from tests.needs import require_program

pytestmark = pytest.mark.jack


def test_it_reads_jack_midi_clock_to_the_frame(jack_server):
    require_program("jack_midi_clock")
    with JackMidiRecorder(jack_server, "jack_midi_clock:mclk_out") as recorder:
        master = jack_server.popen("jack_midi_clock", "-b", "174", "-B")
        try:
            recorder.wait_connected()
            jack_server.run("jack_transport", input="play\nquit\n")
            recorder.wait_for(50)
            recording = recorder.stop()
        finally:
            jack_server.run("jack_transport", input="stop\nquit\n")
            end(master)
    assert recording.rate == 48_000
    ticks = sorted(recording.intervals()[5:])
    assert ticks[len(ticks) // 2] in (689, 690)


def test_it_counts_where_the_server_lost_time(own_jack_server):
    with JackMidiRecorder(own_jack_server) as recorder:
        recorder.clear()
        time.sleep(0.2)
        before = recorder.recording().xruns
        own_jack_server.process.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        own_jack_server.process.send_signal(signal.SIGCONT)
        after = until(lambda: recorder.recording().xruns - before)
    assert after >= 1
