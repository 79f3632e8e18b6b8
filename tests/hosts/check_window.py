"""The editor's window in pedalboard, on a screen of its own: it opens, is drawn, moves, and closes. Usage: SCRIPT BUNDLE

Prints how long an opening takes and what the window costs; asserts only what does not hang on the machine's speed.
ZEITGEBER_WINDOW=FILE.ppm keeps the picture.
"""

import os
import resource
import struct
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np

BUNDLE = sys.argv[1]
OPENINGS = int(os.environ.get("ZEITGEBER_OPENINGS", "12"))

screen_folder = tempfile.mkdtemp()
read_end, write_end = os.pipe()
screen = subprocess.Popen(
    ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1280x900x24", "-fbdir", screen_folder],
    pass_fds=[write_end],
    stderr=subprocess.DEVNULL,
)
os.environ["DISPLAY"] = ":" + os.read(read_end, 16).decode().strip()
os.environ["HOME"] = os.environ["XDG_DATA_HOME"] = screen_folder

import pedalboard  # noqa: E402  (it looks for the display when it is loaded)


def picture():
    """The screen as rows x columns x (red, green, blue), from Xvfb's own file (XWD, X11's X11/XWDFile.h)."""
    data = open(os.path.join(screen_folder, "Xvfb_screen0"), "rb").read()
    header = struct.unpack(">25I", data[:100])
    size, width, height, line, colours = header[0], header[4], header[5], header[12], header[19]
    start = size + 12 * colours
    rows = np.frombuffer(data[start : start + line * height], np.uint8).reshape(height, line)
    pixels = rows[:, : 4 * width].reshape(height, width, 4)
    return pixels[:, :, 2::-1]


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def drawn(image):
    """How many pixels are of the editor's dark ground and surfaces."""
    ground = [(0x0D, 0x10, 0x16), (0x15, 0x1A, 0x22)]
    return sum(int((image == colour).all(axis=2).sum()) for colour in ground)


def shown(plugin, seconds, look):
    """Opens the window for so long; `look` is called in it and its result returned."""
    close, result = threading.Event(), {}

    def work():
        start = time.monotonic()
        while drawn(picture()) < 100_000 and time.monotonic() - start < 20:
            time.sleep(0.005)
        result["opened"] = time.monotonic() - start
        time.sleep(seconds)
        result["look"] = look()
        close.set()

    thread = threading.Thread(target=work)
    thread.start()
    plugin.show_editor(close)
    thread.join()
    return result


def handles():
    return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))


def main():
    plugin = pedalboard.load_plugin(BUNDLE, plugin_name="Zeitgeber")
    # The safety note is there at first use: it is closed by what it keeps.
    folder = os.path.join(screen_folder, "zeitgeber")
    os.makedirs(folder, exist_ok=True)
    open(os.path.join(folder, "editor.json"), "w").write('{"safety_read": true}')

    def rest():
        before, start = cpu(), time.monotonic()
        time.sleep(4)
        return 100 * (cpu() - before) / (time.monotonic() - start), picture()

    result = shown(plugin, 1.5, rest)
    load, image = result["look"]
    assert drawn(image) > 200_000, f"the window is not drawn: {drawn(image)} pixels"
    colours = len(np.unique(image.reshape(-1, 3), axis=0))
    assert colours > 150, f"only {colours} colours"
    print(f"at rest: {load:.2f} % of a core; {colours} colours")
    keep = os.environ.get("ZEITGEBER_WINDOW")
    if keep:
        rows, columns, _ = image.shape
        open(keep, "wb").write(b"P6\n%d %d\n255\n" % (columns, rows) + image.tobytes())

    plugin.layer_1_kind = "binaural"
    sound = np.zeros((2, 480), np.float32)

    def play():
        stop = threading.Event()

        def blocks():
            while not stop.is_set():
                plugin.process(sound, 48000, buffer_size=480, reset=False)
                time.sleep(0.01)

        thread = threading.Thread(target=blocks)
        thread.start()
        time.sleep(1)
        first, before, start = picture(), cpu(), time.monotonic()
        time.sleep(4)
        load = 100 * (cpu() - before) / (time.monotonic() - start)
        second = picture()
        stop.set()
        thread.join()
        return load, int((first != second).any(axis=2).sum())

    load, moved = shown(plugin, 0.5, play)["look"]
    assert moved > 500, f"nothing moves while it sounds: {moved} pixels"
    print(f"animated, sound included: {load:.1f} % of a core; {moved} pixels have moved")

    times, before = [], handles()
    for _ in range(OPENINGS):
        times.append(shown(plugin, 0.02, lambda: None)["opened"])
    descriptors, threads = (now - then for now, then in zip(handles(), before))
    # nice-plug leaves two sockets behind each window in VST3 (docs/design.md).
    assert descriptors <= 2 * OPENINGS + 4 and threads <= 1, f"{descriptors} descriptors, {threads} threads"
    print(f"{OPENINGS} openings: median {1000 * np.median(times):.0f} ms, {descriptors} descriptors, {threads} threads")


try:
    main()
finally:
    screen.terminate()
