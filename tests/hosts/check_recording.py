"""Ardour's own window records what is dragged, turned and typed in the editor. Usage: SCRIPT SESSION

SESSION is the folder of a session called "scene" whose only track has the plugin, with these lanes armed: Beat, Azimuth and
Distance in Touch, Carrier in Latch. HOME is a folder of our own, in which Ardour knows the plugin.

Ardour runs on a screen of its own without a sound card. A remote control (OSC) starts and stops it and tells where the song
is, a pointer of the X server does the rest, and what counts is the session that Ardour saves. Nothing is judged by the
clock on the wall. ZEITGEBER_WINDOW=FILE.ppm keeps the picture of the screen at the end.
"""

import base64
import contextlib
import ctypes
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import xml.etree.ElementTree as xml

SESSION = sys.argv[1]
HOME = os.environ["HOME"]
FILE = os.path.join(SESSION, "scene.ardour")
RATE = 48000
TICKS = 2 * 1920  # of a song at 120 beats a minute, in a second

# Where things are in a window of 1100 x 720 points, which is what a new instance opens.
WINDOW = (1100, 720)
BEAT = (80, 118)
CARRIER = (70, 360)
SPACE_TAB = (344, 77)
PROGRAM = (435, 215)  # on the page of space: the middle of the music
NOWHERE = (560, 30)

CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<Ardour>
  <Config>
    <Option name="try-autostart-engine" value="1"/>
    <Option name="hide-dummy-backend" value="0"/>
    <Option name="check-announcements" value="0"/>
    <Option name="osc-port" value="{port}"/>
  </Config>
  <Extra><AudioMIDISetup><EngineStates>
    <State backend="None (Dummy)" driver="Normal Speed" device="Silence" input-device="" output-device=""
      sample-rate="48000" buffer-size="1024" n-periods="0" input-latency="0" output-latency="0" input-channels="2"
      output-channels="2" active="1" use-buffered-io="0" midi-option="1 in, 1 out, Silence" lm-input="" lm-output=""/>
  </EngineStates></AudioMIDISetup></Extra>
</Ardour>
"""


# A plugin's window that is closed is not kept and hidden.
LOOK = """<?xml version="1.0" encoding="UTF-8"?>
<Ardour><UI><Option name="plugin-gui-behavior" value="PluginGUIDestroyVST"/></UI></Ardour>
"""


def go_with_us():
    """What we have started ends when we do, however that happens."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class ClientMessage(ctypes.Structure):
    """X11's XClientMessageEvent, as long as any event."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("rest", ctypes.c_long * 12),
    ]


def ask_to_close(window):
    """What a window manager does where its close button is clicked."""
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    display = ctypes.c_void_p(x11.XOpenDisplay(None))
    kind, close = (x11.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
    message = ClientMessage(33, 0, 1, display, window, kind, 32, (close, 0))
    x11.XSendEvent(display, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(message))
    x11.XCloseDisplay(display)


class Remote:
    """Ardour's remote control."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(2)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("0.0.0.0", 0))
            self.port = free.getsockname()[1]

    def send(self, path):
        def padded(text):
            return text + b"\0" * (4 - len(text) % 4)

        self.socket.sendto(padded(path.encode()) + padded(b","), ("127.0.0.1", self.port))

    def position(self):
        """Where the song is, in seconds."""
        for _ in range(10):
            self.send("/transport_frame")
            try:
                answer = self.socket.recv(1024)
            except TimeoutError:
                continue
            if answer.startswith(b"/transport_frame\0"):
                kind = ">q" if b",h\0" in answer else ">i"
                return struct.unpack(kind, answer[-struct.calcsize(kind) :])[0] / RATE
        raise AssertionError("Ardour does not say where the song is")

    def pass_until(self, seconds):
        """Waits until the song has come so far."""
        before, start = self.position(), time.monotonic()
        while self.position() < seconds:
            assert time.monotonic() - start < 30, f"the song stands at {self.position()} s, after {before} s"
            time.sleep(0.05)


class Screen:
    def __init__(self):
        self.folder = tempfile.mkdtemp(dir=HOME)
        read_end, write_end = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1600x1000x24", "-fbdir", self.folder],
            pass_fds=[write_end],
            stderr=subprocess.DEVNULL,
            preexec_fn=go_with_us,
        )
        os.environ["DISPLAY"] = ":" + os.read(read_end, 16).decode().strip()

    def pixels(self, left, top, width, height):
        """Rows of red, green, blue, from Xvfb's own file (XWD, X11's X11/XWDFile.h)."""
        with open(os.path.join(self.folder, "Xvfb_screen0"), "rb") as file:
            data = file.read()
        header = struct.unpack(">25I", data[:100])
        line, start = header[12], header[0] + 12 * header[19]
        rows = (data[start + y * line + 4 * left :][: 4 * width] for y in range(top, top + height))
        return [bytes(row[n + k] for n in range(0, len(row), 4) for k in (2, 1, 0)) for row in rows]

    def keep(self):
        path = os.environ.get("ZEITGEBER_WINDOW")
        if path:
            with open(path, "wb") as file:
                file.write(b"P6\n1600 1000\n255\n" + b"".join(self.pixels(0, 0, 1600, 1000)))


class Pointer:
    """The pointer, in points of the plugin's window."""

    def __init__(self, screen, ardour):
        self.screen = screen
        start = time.monotonic()
        while not (found := self.do("search", "--onlyvisible", "--name", "^Zeitgeber$", failing=True).split()):
            assert ardour.poll() is None, "Ardour has ended before its window was there"
            assert time.monotonic() - start < 60, "Ardour has not opened the plugin's window"
            time.sleep(0.5)
        self.window = found[-1]
        told = dict(line.split("=") for line in self.do("getwindowgeometry", "--shell", self.window).split())
        self.corner = (int(told["X"]), int(told["Y"]))
        size = (int(told["WIDTH"]), int(told["HEIGHT"]))
        assert size == WINDOW, f"a new window has {size}: where things are in it has to be looked up anew"

    def do(self, *words, failing=False):
        words = ["xdotool", *map(str, words)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=20)
        assert failing or done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def to(self, place):
        self.do("mousemove", "--window", self.window, *map(int, place))

    def click(self, place, button=1):
        self.to(place)
        time.sleep(0.3)
        self.do("click", button)

    def drag(self, places):
        self.to(places[0])
        time.sleep(0.3)
        self.do("mousedown", 1)
        for place in places:
            self.to(place)
            time.sleep(0.05)
        time.sleep(0.3)
        self.do("mouseup", 1)

    def close_while_held(self, place):
        """The window is closed (as a window manager asks for it) while the button is down."""
        self.to(place)
        time.sleep(0.3)
        self.do("mousedown", 1)
        for n in range(20):
            self.to((place[0], place[1] - 2 * n))
            time.sleep(0.05)
        (frame, *_) = self.do("search", "--onlyvisible", "--name", r"\[VST3\]").split()
        ask_to_close(int(frame))
        start = time.monotonic()
        while self.window in self.do("search", "--name", "^Zeitgeber$", failing=True).split():
            assert time.monotonic() - start < 20, "the window does not close"
            time.sleep(0.1)
        self.do("mouseup", 1)

    def shown(self, place):
        """What is drawn around a number, once it is drawn twice the same; the pointer is out of the way."""
        self.to(NOWHERE)
        x, y = self.corner[0] + 20, self.corner[1] + place[1] - 14
        before = None
        for _ in range(100):
            time.sleep(0.2)
            now = self.screen.pixels(x, y, 180, 28)
            if now == before and len(set(b"".join(now))) > 8:
                return now
            before = now
        raise AssertionError(f"what is drawn at {place} does not come to rest")


def points(text):
    """Times in seconds and values of a lane: audio time after an a, beats after a b."""
    unit = {"a": 282_240_000, "b": TICKS}
    pairs = [line.split() for line in text.strip().splitlines()]
    return [(int(at[1:]) / unit[at[0]], float(value)) for at, value in pairs]


class Saved:
    """What Ardour has saved of the plugin."""

    def __init__(self):
        insert = xml.parse(FILE).getroot().find(".//Processor[@type='vst3']")
        own = {control.get("parameter"): control for control in insert.iter("Controllable")}
        self.values = {control.get("name"): float(control.get("value")) for control in own.values()}
        self.lanes = {}
        for lane in insert.iter("AutomationList"):
            number = lane.get("automation-id").rpartition("-")[2]
            if lane.find("events") is not None and number in own:
                self.lanes[own[number].get("name")] = points(lane.find("events").text)
        state = base64.b64decode(insert.find(".//chunk").text)
        self.own = json.JSONDecoder().raw_decode(state[state.index(b'{"version"') :].decode(errors="replace"))[0]


def recorded(saved, name, start, end):
    """What was recorded in a stretch of the song."""
    return [point for point in saved.lanes[name] if start <= point[0] <= end]


def one_touch(lane, what, rest, up, count):
    """A gesture in Touch: the lane leaves its value, goes one way, and is back at once when the hand lets go."""
    values = [value for _, value in lane]
    told = f"{what}: {[(round(at, 3), round(value, 3)) for at, value in lane]}"
    assert len(lane) >= count, f"{what} is not recorded: {told}"
    assert abs(values[0] - rest) < 1e-4 and abs(values[-1] - rest) < 1e-4, f"it is not back at {rest}: {told}"
    way = [value if up else -value for value in values[:-1]]
    assert way == sorted(way) and way[-1] > way[0] + 0.1, f"it does not go one way: {told}"
    assert lane[-1][0] - lane[-2][0] < 0.1, f"it fades back: {told}"
    print(f"{what}: {len(lane)} points in {lane[-1][0] - lane[0][0]:.2f} s, up to {values[-2]:.3f}")


def prepare(remote):
    """Ardour's settings, and the session with the plugin's window and the remote control open."""
    folder = os.path.join(HOME, ".config", "ardour7")
    os.makedirs(folder, exist_ok=True)
    # Whoever has this file has been welcomed.
    open(os.path.join(folder, ".a7"), "w").close()
    with open(os.path.join(folder, "config"), "w") as file:
        file.write(CONFIG.replace("{port}", str(remote.port)))
    with open(os.path.join(folder, "ui_config"), "w") as file:
        file.write(LOOK)
    own = os.path.join(HOME, "data", "zeitgeber")
    os.makedirs(own, exist_ok=True)
    with open(os.path.join(own, "editor.json"), "w") as file:
        file.write('{"safety_read": true}')
    tree = xml.parse(FILE)
    root = tree.getroot()
    for protocol in root.iter("Protocol"):
        if protocol.get("name") == "Open Sound Control (OSC)":
            protocol.set("active", "1")
            protocol.set("address-only", "0")
    (route,) = [route for route in root.iter("Route") if route.find("Processor[@type='vst3']") is not None]
    insert = route.find("Processor[@type='vst3']")
    windows = xml.SubElement(xml.SubElement(root, "Extra"), "UI")
    name = f"P-{route.get('id')}-{insert.get('id')}"
    place = {"x-off": "300", "y-off": "100", "x-size": "-1", "y-size": "-1"}
    xml.SubElement(windows, "Window", {"name": name, "visible": "1", "custom-ui": "1", **place})
    tree.write(FILE, encoding="UTF-8", xml_declaration=True)


def play(remote, pointer, ardour):
    """Plays what is to be recorded; returns from where to where in the song each gesture can be, the pictures, and what was
    saved after the typed value."""
    stretches, shown = {}, {}

    def gesture(name, work):
        start = remote.position()
        work()
        remote.pass_until(remote.position() + 1.0)
        assert ardour.poll() is None, f"Ardour has ended: {name}"
        stretches[name] = (start, remote.position())

    def typed():
        pointer.click(CARRIER)
        time.sleep(0.5)
        pointer.do("key", "ctrl+a")
        pointer.do("type", "--delay", "60", "300")
        pointer.do("key", "Return")

    shown["beat before"], shown["carrier before"] = pointer.shown(BEAT), pointer.shown(CARRIER)
    remote.send("/transport_play")
    remote.pass_until(1.0)
    x, y = BEAT
    gesture("drag", lambda: pointer.drag([(x, y - 2 * n) for n in range(40)]))
    shown["beat after"] = pointer.shown(BEAT)
    gesture("wheel", lambda: pointer.click(BEAT, 4))
    gesture("typed", typed)
    shown["carrier after"] = pointer.shown(CARRIER)
    rolling = save(remote)
    pointer.click(SPACE_TAB)
    time.sleep(1)
    x, y = PROGRAM
    gesture("space", lambda: pointer.drag([(x + 1.5 * n, y - 1.2 * n) for n in range(40)]))
    gesture("closed", lambda: pointer.close_while_held(BEAT))
    remote.send("/transport_stop")
    last = None
    while (now := remote.position()) != last:
        last = now
        time.sleep(0.5)
    stretches["stop"] = now
    return stretches, shown, rolling


def save(remote):
    before = os.stat(FILE).st_mtime_ns
    remote.send("/save_state")
    start = time.monotonic()
    while os.stat(FILE).st_mtime_ns == before:
        assert time.monotonic() - start < 30, "Ardour does not save"
        time.sleep(0.2)
    return Saved()


def judge(saved, rolling, stretches, shown):
    for name, lane in saved.lanes.items():
        print(f"lane {name}: {len(lane)} points")
    assert set(saved.lanes) == {"Beat", "Carrier", "Azimuth", "Distance"}, saved.lanes
    one_touch(recorded(saved, "Beat", *stretches["drag"]), "a drag of the beat", 10.0, True, 8)
    one_touch(recorded(saved, "Beat", *stretches["wheel"]), "a turn of the wheel", 10.0, True, 4)
    one_touch(recorded(saved, "Beat", *stretches["closed"]), "a drag that the window's end ends", 10.0, True, 5)
    distance = saved.lanes["Distance"][0][1]
    one_touch(recorded(saved, "Azimuth", *stretches["space"]), "the azimuth of a drag", 0.0, False, 8)
    one_touch(recorded(saved, "Distance", *stretches["space"]), "the distance of a drag", distance, True, 8)
    # And nothing but that: a lane begins and ends with a point that Ardour has put there when it was armed.
    for name, parts in {"Beat": ["drag", "wheel", "closed"], "Azimuth": ["space"], "Distance": ["space"]}.items():
        counted = 2 + sum(len(recorded(saved, name, *stretches[part])) for part in parts)
        assert counted == len(saved.lanes[name]), f"{name} moves where nobody touches it: {saved.lanes[name]}"
    # What is typed stays in Latch until the song stops; while it plays all agree on what it is.
    carrier, (start, end) = saved.lanes["Carrier"], stretches["typed"]
    moved = [at for at, value in carrier if value == 300.0]
    assert moved and start <= moved[0] <= end and abs(moved[-1] - stretches["stop"]) < 0.5, f"{carrier}, {stretches}"
    assert {value for _, value in carrier} == {250.0, 300.0}, carrier
    # Behind what is written Ardour keeps the lane as it was.
    *_, (_, last), _, _ = rolling.lanes["Carrier"]
    assert last == 300.0, rolling.lanes["Carrier"]
    assert rolling.values["Carrier"] == 300.0, rolling.values["Carrier"]
    assert rolling.own["params"]["carrier"] == {"f32": 300.0}, rolling.own["params"]["carrier"]
    assert shown["carrier after"] != shown["carrier before"], "what was typed is not shown"
    print(f"a typed value: {len(moved)} points to where the song stops; it is saved and shown")
    # In Touch the lane's own value is back.
    assert saved.values["Beat"] == 10.0, saved.values["Beat"]
    assert saved.own["params"]["beat"] == {"f32": 10.0}, saved.own["params"]["beat"]
    assert shown["beat after"] == shown["beat before"], "the beat that is shown is not the lane's"


def main():
    remote = Remote()
    prepare(remote)
    screen = Screen()
    os.environ.update(LIBGL_ALWAYS_SOFTWARE="1", XDG_DATA_HOME=os.path.join(HOME, "data"))
    log = open(os.path.join(HOME, "ardour.log"), "wb")
    ardour = subprocess.Popen(
        ["ardour", "-n", "-a", FILE], stdout=log, stderr=log, start_new_session=True, preexec_fn=go_with_us
    )
    try:
        pointer = Pointer(screen, ardour)
        stretches, shown, rolling = play(remote, pointer, ardour)
        saved = save(remote)
        screen.keep()
        assert ardour.poll() is None, "Ardour has ended"
        judge(saved, rolling, stretches, shown)
    except BaseException:
        traceback.print_exc()
        with open(log.name, "rb") as said:
            said.seek(-min(2000, os.path.getsize(log.name)), os.SEEK_END)
            print(said.read().decode(errors="replace"), file=sys.stderr)
        screen.keep()
        try:
            print(f"Ardour has ended by itself: {ardour.wait(10)}", file=sys.stderr)
        except subprocess.TimeoutExpired:
            pass
        return 1
    finally:
        # With what it has started itself.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(ardour.pid, signal.SIGKILL)
        screen.server.kill()
        for process in (ardour, screen.server):
            process.wait()
    return 0


def out_of_time(*_):
    raise AssertionError("it has taken too long")


signal.signal(signal.SIGALRM, out_of_time)
signal.alarm(150)
sys.exit(main())
