"""Zeitgeber in DawDreamer: the beat rises and the level falls by automation. Usage: SCRIPT BUNDLE.vst3 OUT

Writes OUT.csv (seconds, beat in hertz as automated, level of each ear in dBFS), and OUT.png where matplotlib is.
"""

import csv
import sys

import dawdreamer
import numpy as np

RATE = 48000
BLOCK = 480
SECONDS = 8


def level(x):
    return 10 * np.log10(max(np.mean(np.square(x, dtype=np.float64)), 1e-20))


def main(bundle, out):
    engine = dawdreamer.RenderEngine(RATE, BLOCK)
    plugin = engine.make_plugin_processor("zeitgeber", bundle)
    source = engine.make_playback_processor("source", np.zeros((2, SECONDS * RATE), np.float32))
    engine.load_graph([(source, []), (plugin, ["source"])])
    index = {parameter["name"]: parameter["index"] for parameter in plugin.get_parameters_description()}
    plugin.set_parameter(index["Fade In"], 0.0)
    # The first layer is a binaural beat: the second of six kinds.
    plugin.set_parameter(index["Layer 1 Kind"], 1 / 5)
    # Automation in DawDreamer: a value a frame, from 0 to 1, of which it takes one a block.
    share = np.arange(SECONDS * RATE) / (SECONDS * RATE)
    beat = 4.0 + 8.0 * share
    plugin.set_automation(index["Beat"], (beat / 100.0).astype(np.float32))
    start = plugin.get_parameter(index["Layer 1 Level"])
    plugin.set_automation(index["Layer 1 Level"], (start * (1.0 - 0.3 * share)).astype(np.float32))
    engine.render(SECONDS)
    sound = engine.get_audio()
    rows = []
    for begin in range(0, sound.shape[1] - BLOCK + 1, BLOCK):
        levels = (round(level(ear[begin : begin + BLOCK]), 2) for ear in sound)
        rows.append([round(begin / RATE, 4), round(float(beat[begin]), 4), *levels])
    with open(out + ".csv", "w", newline="") as file:
        csv.writer(file).writerows([["seconds", "beat", "left", "right"], *rows])
    plot(out + ".png", rows)
    print(f"{sound.shape[1]} frames, {level(sound):.1f} dBFS")


def plot(path, rows):
    try:
        import matplotlib
    except ImportError:
        return print("without matplotlib there is no picture")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (top, bottom) = pyplot.subplots(2, 1, sharex=True)
    seconds = [row[0] for row in rows]
    top.plot(seconds, [row[1] for row in rows])
    top.set_ylabel("beat in Hz")
    bottom.plot(seconds, [row[2] for row in rows], label="left")
    bottom.plot(seconds, [row[3] for row in rows], label="right")
    bottom.set(xlabel="seconds", ylabel="dBFS")
    bottom.legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:])
