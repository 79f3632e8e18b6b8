"""The VST3 in pedalboard: load, parameters, exact tones, block sizes, state, storms. Usage: SCRIPT BUNDLE"""

import gc
import os
import sys
import threading

import numpy as np
import pedalboard

from measure import check_binaural, noise

RATE = 48000
BUNDLE = sys.argv[1]


def load():
    return pedalboard.load_plugin(BUNDLE, plugin_name="Zeitgeber")


def put(plugin, name, normalized):
    """Sets a parameter by its host name, normalised: all 2^24 values can be reached so."""
    parameter = next(p for p in plugin.parameters.values() if p.name == name)
    parameter.raw_value = normalized


def get(plugin, name):
    return next(p for p in plugin.parameters.values() if p.name == name).string_value


def binaural(plugin):
    """Layer 1 at 10 Hz around 250 Hz and -20 dBFS, there at once."""
    put(plugin, "Fade In", 0.0)
    plugin.layer_1_kind = "binaural"


def defaults():
    plugin = load()
    names = [p.name for p in plugin.parameters.values()]
    for name in ["Bypass", "Beat", "Carrier", "Glide", "Phase", "Layer 1 Kind", "Layer 1 Level"]:
        assert name in names, f"{name} is not in {names}"
    assert get(plugin, "Beat") == "10 Hz" and get(plugin, "Carrier") == "250 Hz"
    assert plugin.reported_latency_samples == 0
    sound = noise(2, RATE)
    out = plugin.process(sound, RATE, buffer_size=512)
    assert np.array_equal(out, sound), "defaults are not bit-exact through"
    print("defaults: bit-exact through, latency 0")


def tones():
    plugin = load()
    binaural(plugin)
    silence = np.zeros((2, 62 * RATE), np.float32)
    out = plugin.process(silence, RATE, buffer_size=1024)
    assert out.shape == silence.shape
    check_binaural(out[:, 2 * RATE :], RATE, 245.0, 255.0)
    put(plugin, "Beat", 0.063)
    assert get(plugin, "Beat") == "6.3 Hz"
    out = plugin.process(silence, RATE, buffer_size=1024)
    check_binaural(out[:, 2 * RATE :], RATE, 246.85, 253.15)
    print("tones: exact and pure")


def blocks():
    sound = noise(1, RATE)
    found = []
    for size in [1, 7, 32, 64, 480, 1024, 1024]:
        plugin = load()
        binaural(plugin)
        found.append(plugin.process(sound, RATE, buffer_size=size))
    assert all(np.array_equal(found[0], other) for other in found[1:]), "block sizes differ"
    assert not np.array_equal(found[0], sound), "nothing sounds"
    plugin = load()
    binaural(plugin)
    first = plugin.process(sound, RATE, buffer_size=512, reset=True)
    again = plugin.process(sound, RATE, buffer_size=512, reset=True)
    assert np.array_equal(first, again), "two bounces of one instance differ"
    print("blocks of 1 to 1024 frames, and two bounces: bit-identical")


def state():
    plugin = load()
    binaural(plugin)
    put(plugin, "Beat", 0.063)
    sound = noise(1, RATE)
    wanted = plugin.process(sound, RATE)
    saved = plugin.raw_state
    other = load()
    other.raw_state = saved
    assert get(other, "Beat") == "6.3 Hz" and get(other, "Layer 1 Kind") == "binaural"
    assert other.raw_state == saved, "a restored state is saved differently"
    found = other.process(sound, RATE)
    assert np.array_equal(found, wanted), "a restored state sounds different"
    print("state: saved and restored")


def storm():
    # Plugins are made and destroyed on the main thread: JUCE asks for it.
    for round_ in range(200):
        plugin = load() if round_ % 10 == 0 else plugin
        binaural(plugin)
        put(plugin, "Beat", (round_ % 97) / 97)
        put(plugin, "Carrier", (round_ % 89) / 89)
        out = plugin.process(noise(0.05, RATE, round_), [44100, 48000, 96000][round_ % 3], buffer_size=64)
        assert np.isfinite(out).all()
    several = [load() for _ in range(8)]

    def play(plugin):
        for round_ in range(50):
            put(plugin, "Beat", (round_ % 41) / 41)
            assert np.isfinite(plugin.process(noise(0.05, RATE), RATE, buffer_size=64)).all()

    threads = [threading.Thread(target=play, args=(plugin,)) for plugin in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    del several, plugin, threads
    gc.collect()
    if os.path.isdir("/proc/self/task"):
        names = [open(f"/proc/self/task/{task}/comm").read().strip() for task in os.listdir("/proc/self/task")]
        assert not [name for name in names if name.startswith("zeitgeber")], f"threads left behind: {names}"
    print("storm: survived, no thread left behind")


for check in [defaults, tones, blocks, state, storm]:
    check()
