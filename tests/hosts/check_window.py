"""The editor's window in pedalboard, on a screen of its own: it opens, is drawn, moves, and closes. Usage: SCRIPT BUNDLE

Prints how long an opening takes and what the window costs; asserts only what does not hang on the machine's speed.
ZEITGEBER_WINDOW=FILE.ppm keeps the picture.
"""

import ctypes
import gc
import os
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import numpy as np

BUNDLE = sys.argv[1]
OPENINGS = int(os.environ.get("ZEITGEBER_OPENINGS", "100"))
# A second process, which counts what openings leave behind. The C library's allocator returns pages only from the ends of
# its heaps, where it also puts large blocks once some have been freed: every small block that stays behind a window then
# keeps megabytes that are free. Large blocks of their own tell the one from the other.
COUNTING = {"ZEITGEBER_COUNTING": "1", "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "2"}
COUNTS = "ZEITGEBER_COUNTING" in os.environ

screen_folder = tempfile.mkdtemp()
read_end, write_end = os.pipe()
screen = subprocess.Popen(
    ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1280x900x24", "-fbdir", screen_folder],
    pass_fds=[write_end],
    stderr=subprocess.DEVNULL,
)
os.environ["DISPLAY"] = ":" + os.read(read_end, 16).decode().strip()
os.environ["HOME"] = os.environ["XDG_DATA_HOME"] = screen_folder

# JUCE reads a property of whoever owns the desktop's settings, and ends the process where nobody does (pedalboard 0.9).
x11 = ctypes.CDLL("libX11.so.6")
x11.XOpenDisplay.restype = x11.XDefaultRootWindow.restype = ctypes.c_void_p
x11.XInternAtom.restype = x11.XCreateSimpleWindow.restype = ctypes.c_ulong
display = ctypes.c_void_p(x11.XOpenDisplay(None))
root = ctypes.c_ulong(x11.XDefaultRootWindow(display))
owner = ctypes.c_ulong(x11.XCreateSimpleWindow(display, root, 0, 0, 1, 1, 0, ctypes.c_ulong(0), ctypes.c_ulong(0)))
atom = ctypes.c_ulong(x11.XInternAtom(display, b"_XSETTINGS_S0", 0))
x11.XSetSelectionOwner(display, atom, owner, ctypes.c_ulong(0))
# And it uses names that only a window manager would have made known.
for name in """WM_PROTOCOLS WM_TAKE_FOCUS WM_DELETE_WINDOW WM_STATE WM_CHANGE_STATE WM_HINTS WM_WINDOW_ROLE
    _MOTIF_WM_HINTS _NET_ACTIVE_WINDOW _NET_FRAME_EXTENTS _NET_WM_ICON _NET_WM_NAME _NET_WM_PID _NET_WM_PING _NET_WM_STATE
    _NET_WM_STATE_ABOVE _NET_WM_STATE_HIDDEN _NET_WM_STATE_FULLSCREEN _NET_WM_STATE_SKIP_TASKBAR _NET_WM_USER_TIME
    _NET_WM_WINDOW_TYPE _NET_WM_WINDOW_TYPE_NORMAL _NET_WM_WINDOW_TYPE_POPUP_MENU _NET_WM_WINDOW_TYPE_COMBO
    _NET_WM_WINDOW_TYPE_SPLASH _NET_SUPPORTED _NET_SUPPORTING_WM_CHECK _KDE_NET_WM_WINDOW_TYPE_OVERRIDE _WIN_LAYER
    _WIN_HINTS _XEMBED _XEMBED_INFO UTF8_STRING""".split():
    x11.XInternAtom(display, name.encode(), 0)
x11.XSync(display, 0)

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
    """Seconds of processor time of the threads that are not Python's own: the window's, and those of the graphics."""
    total = 0
    for task in os.listdir("/proc/self/task"):
        if int(task) in OWN:
            continue
        try:
            fields = open(f"/proc/self/task/{task}/stat").read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def own():
    """Counts the calling thread as one of Python's."""
    OWN.add(threading.get_native_id())


OWN = set()


def drawn(image):
    """How many pixels are of the editor's dark ground and surfaces."""
    ground = [(0x0D, 0x10, 0x16), (0x15, 0x1A, 0x22)]
    return sum(int((image == colour).all(axis=2).sum()) for colour in ground)


def shown(plugin, seconds, look):
    """Opens the window for so long; `look` is called in it and its result returned."""
    close, result = threading.Event(), {}

    own()

    def work():
        own()
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


def resident():
    """Megabytes of this process that are in memory."""
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def look_at(plugin):
    """What the window shows and costs, at rest and while it sounds."""

    def rest():
        before, start = cpu(), time.monotonic()
        time.sleep(4)
        return 100 * (cpu() - before) / (time.monotonic() - start), picture()

    # pedalboard plays something into a plugin that it loads: the meters fall first.
    result = shown(plugin, 7, rest)
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
            own()
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


def opened_while_automated():
    """The host's automation moves on while the window opens and closes, and the instance goes: nice-plug would take the host along."""
    plugin = pedalboard.load_plugin(BUNDLE, plugin_name="Zeitgeber")
    plugin.layer_1_kind = "binaural"
    sound, stop = np.zeros((2, 480), np.float32), threading.Event()

    def automate():
        own()
        block = 0
        while not stop.is_set():
            block += 1
            plugin.beat = 5 + block % 50 / 10
            plugin.process(sound, 48000, buffer_size=480, reset=False)
            time.sleep(0.002)

    thread = threading.Thread(target=automate)
    thread.start()
    time.sleep(0.5)
    for _ in range(3):
        shown(plugin, 0.1, lambda: None)
    stop.set()
    thread.join()


def main():
    plugin = pedalboard.load_plugin(BUNDLE, plugin_name="Zeitgeber")
    # The safety note is there at first use: it is closed by what it keeps.
    folder = os.path.join(screen_folder, "zeitgeber")
    os.makedirs(folder, exist_ok=True)
    open(os.path.join(folder, "editor.json"), "w").write('{"safety_read": true}')

    if COUNTS:
        shown(plugin, 0.5, lambda: None)
    else:
        look_at(plugin)
    times, before = [], handles()
    early = resident()
    openings = OPENINGS if COUNTS else min(OPENINGS, 20)
    for opening in range(openings):
        times.append(shown(plugin, 0.02, lambda: None)["opened"])
        if opening == openings // 4:
            # Caches are full by then.
            early = resident()
    grown = resident() - early
    # Threads of the graphics end a little after their window, on a busy machine above all.
    deadline = time.monotonic() + 20
    while True:
        descriptors, threads = (now - then for now, then in zip(handles(), before))
        # nice-plug leaves two sockets behind each window in VST3 (docs/design.md).
        if descriptors <= 2 * openings + 8 and threads <= 1:
            break
        assert time.monotonic() < deadline, f"{descriptors} descriptors, {threads} threads"
        time.sleep(0.1)
    if COUNTS:
        # The framework's sockets have a queue of 160 KB, and its keyboard a map of 55.
        assert grown <= 10 + 0.25 * OPENINGS, f"{grown:.1f} MB more after {OPENINGS} openings"
    print(
        f"{openings} openings: median {1000 * np.median(times):.0f} ms, {descriptors} descriptors, {threads} threads, "
        f"{grown:.1f} MB more in the last three quarters"
    )
    if not COUNTS:
        opened_while_automated()
        del plugin
        gc.collect()
        print("opened and closed while automated: the host lives when the last instance goes")


try:
    main()
    status = 0
    if not COUNTS:
        sys.stdout.flush()
        status = subprocess.run([sys.executable, "-B", *sys.argv], env={**os.environ, **COUNTING}).returncode
except BaseException:
    traceback.print_exc()
    status = 1
# X11's library ends the process with an error of its own when the screen goes first.
sys.stdout.flush()
screen.kill()
os._exit(status)
