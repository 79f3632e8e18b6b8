"""Zeitgeber in pedalboard: its beat is automated from 4 to 12 Hz over a sound. Usage: SCRIPT BUNDLE.vst3 OUT

Writes OUT.wav and OUT.csv (seconds, beat in hertz, level of each ear in dBFS), and OUT.png where matplotlib is.
"""

import csv
import sys

import numpy as np
import pedalboard
from pedalboard.io import AudioFile

RATE = 48000
BLOCK = 480
SECONDS = 8


def level(x):
    return 10 * np.log10(max(np.mean(np.square(x, dtype=np.float64)), 1e-20))


def main(bundle, out):
    plugin = pedalboard.load_plugin(bundle, plugin_name="Zeitgeber")
    named = {parameter.name: parameter for parameter in plugin.parameters.values()}
    # The first layer is a binaural beat, there at once.
    named["Fade In"].raw_value = 0.0
    plugin.layer_1_kind = "binaural"
    rows, blocks = [], []
    silence = np.zeros((2, BLOCK), np.float32)
    for block in range(SECONDS * RATE // BLOCK):
        seconds = block * BLOCK / RATE
        beat = 4.0 + 8.0 * seconds / SECONDS
        # Automation in pedalboard: a value before each block, from 0 to 1 over 0 to 100 Hz.
        named["Beat"].raw_value = beat / 100.0
        # reset=False: the next block goes on where this one ends.
        sound = plugin.process(silence, RATE, buffer_size=BLOCK, reset=False)
        blocks.append(sound)
        rows.append([round(seconds, 4), round(beat, 4), *(round(level(ear), 2) for ear in sound)])
    sound = np.concatenate(blocks, axis=1)
    with AudioFile(out + ".wav", "w", RATE, 2) as file:
        file.write(sound)
    with open(out + ".csv", "w", newline="") as file:
        csv.writer(file).writerows([["seconds", "beat", "left", "right"], *rows])
    plot(out + ".png", sound, rows)
    print(f"{sound.shape[1]} frames, {level(sound):.1f} dBFS")


def plot(path, sound, rows):
    """The two ears together swing at the beat."""
    try:
        import matplotlib
    except ImportError:
        return print("without matplotlib there is no picture")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (top, bottom) = pyplot.subplots(2, 1, sharex=True)
    seconds = np.arange(sound.shape[1]) / RATE
    top.plot(seconds, sound.sum(axis=0), linewidth=0.2)
    top.set_ylabel("left + right")
    bottom.plot([row[0] for row in rows], [row[1] for row in rows])
    bottom.set(xlabel="seconds", ylabel="beat in Hz")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:])
