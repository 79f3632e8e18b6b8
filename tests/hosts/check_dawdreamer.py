"""The VST3 in DawDreamer: load, automation of the beat, exact tones, state, storms. Usage: SCRIPT BUNDLE"""

import gc
import os
import sys
import tempfile

import dawdreamer
import numpy as np

from measure import check_binaural, frequency, noise

RATE = 48000
BUNDLE = sys.argv[1]


def make(sound, block=512):
    """An engine that plays `sound` through the plugin, and the plugin."""
    engine = dawdreamer.RenderEngine(RATE, block)
    plugin = engine.make_plugin_processor("zeitgeber", BUNDLE)
    source = engine.make_playback_processor("source", sound)
    engine.load_graph([(source, []), (plugin, ["source"])])
    return engine, plugin


def index(plugin, name):
    return next(p["index"] for p in plugin.get_parameters_description() if p["name"] == name)


def put(plugin, name, normalized):
    plugin.set_parameter(index(plugin, name), normalized)


def text(plugin, name):
    return plugin.get_parameter_text(index(plugin, name))


def binaural(plugin):
    """Layer 1 at 10 Hz around 250 Hz and -20 dBFS, there at once."""
    put(plugin, "Fade In", 0.0)
    put(plugin, "Layer 1 Kind", 1 / 5)
    assert text(plugin, "Layer 1 Kind") == "binaural"


def render(engine, seconds):
    engine.render(seconds)
    return engine.get_audio()


def defaults():
    sound = noise(2, RATE)
    engine, plugin = make(sound)
    assert text(plugin, "Beat") == "10 Hz" and text(plugin, "Layer 1 Level") == "-20 dB"
    assert plugin.get_latency_samples() == 0
    found = render(engine, 2)
    assert np.array_equal(found, sound[:, : found.shape[1]]), "defaults are not bit-exact through"
    print("defaults: bit-exact through, latency 0")


def tones():
    engine, plugin = make(np.zeros((2, 62 * RATE), np.float32))
    binaural(plugin)
    check_binaural(render(engine, 62)[:, 2 * RATE :], RATE, 245.0, 255.0)
    print("tones: exact and pure")


def automation():
    """The beat steps from 10 to 20 Hz at 6 s, on a block: DawDreamer holds automation for a block."""
    engine, plugin = make(np.zeros((2, 12 * RATE), np.float32), 480)
    binaural(plugin)
    lane = np.full(12 * RATE, 0.1, np.float32)
    lane[6 * RATE :] = 0.2
    plugin.set_automation(index(plugin, "Beat"), lane)
    audio = render(engine, 12)
    for start, left, right in [(1, 245.0, 255.0), (7, 240.0, 260.0)]:
        part = audio[:, start * RATE : (start + 4) * RATE]
        for ear, wanted in enumerate([left, right]):
            found = frequency(part[ear], RATE, wanted)
            assert abs(found - wanted) < 1e-5, f"{found} Hz for {wanted}"
    again = render(engine, 12)
    assert np.array_equal(audio, again), "two bounces with automation differ"
    print("automation: the beat follows its lane; two bounces are bit-identical")


def blocks():
    sound = noise(1, RATE)
    found = []
    for size in [1, 32, 480, 1024]:
        engine, plugin = make(sound, size)
        binaural(plugin)
        found.append(render(engine, 1)[:, : RATE - 1024])
    assert all(np.array_equal(found[0], other) for other in found[1:]), "block sizes differ"
    print("blocks of 1 to 1024 frames: bit-identical")


def state():
    sound = noise(1, RATE)
    engine, plugin = make(sound)
    binaural(plugin)
    put(plugin, "Beat", 0.063)
    wanted = render(engine, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "state")
        plugin.save_state(path)
        other_engine, other = make(sound)
        other.load_state(path)
        assert text(other, "Beat") == "6.3 Hz", text(other, "Beat")
        assert text(other, "Layer 1 Kind") == "binaural"
        found = render(other_engine, 1)
    assert np.array_equal(found, wanted), "a restored state sounds different"
    print("state: saved and restored")


def storm():
    sound = noise(0.1, RATE)
    for round_ in range(100):
        engine, plugin = make(sound, [16, 64, 512][round_ % 3])
        binaural(plugin)
        lane = np.random.default_rng(round_).uniform(0, 1, len(sound[0])).astype(np.float32)
        plugin.set_automation(index(plugin, "Beat"), lane)
        plugin.set_automation(index(plugin, "Layer 1 Kind"), np.round(lane))
        assert np.isfinite(render(engine, 0.1)).all()
        del plugin, engine
    gc.collect()
    if os.path.isdir("/proc/self/task"):
        names = [open(f"/proc/self/task/{task}/comm").read().strip() for task in os.listdir("/proc/self/task")]
        assert not [name for name in names if name.startswith("zeitgeber")], f"threads left behind: {names}"
    print("storm: survived, no thread left behind")


for check in [defaults, tones, automation, blocks, state, storm]:
    check()
