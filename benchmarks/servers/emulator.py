"""The emulator, served over TCP."""

from benchmarks.servers.process import prepare
from webrtc_async.emulator import Emulator
from webrtc_async.emulator.doors.server import bind, serve

if __name__ == "__main__":
    prepare()
    with bind("127.0.0.1", 0) as listening:
        print(listening.getsockname()[1], flush=True)
        serve(Emulator(), listening)
