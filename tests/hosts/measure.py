"""Measures tones: frequency by phase slope, purity by least squares. Used by the scripts of the hosts."""

import numpy as np


def frequency(signal, rate, near):
    """The frequency in hertz of the tone within 2 Hz of `near`: the slope of its phase over frames of 1 s."""
    length = int(rate)
    frames = len(signal) // length
    assert frames >= 3, "at least 3 s are needed"
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(length) + 0.5) / length)
    phases = []
    for frame in range(frames):
        time = (np.arange(length) + frame * length) / rate
        part = signal[frame * length : (frame + 1) * length].astype(np.float64)
        pointer = np.sum(window * part * np.exp(-2j * np.pi * near * time))
        assert abs(pointer) > 1e-4 * length, f"there is no tone near {near} Hz"
        phases.append(np.angle(pointer))
    slope = np.polyfit(np.arange(frames), np.unwrap(phases), 1)[0]
    return near + slope / (2 * np.pi)


def fit(signal, rate, tone):
    """Amplitude of `tone` hertz, linear, and the power of everything else relative to it, in dB."""
    time = np.arange(len(signal)) / rate
    basis = np.stack([np.sin(2 * np.pi * tone * time), np.cos(2 * np.pi * tone * time), np.ones(len(signal))])
    signal = signal.astype(np.float64)
    parts = np.linalg.lstsq(basis.T, signal, rcond=None)[0]
    rest = signal - parts @ basis
    amplitude = np.hypot(parts[0], parts[1])
    return amplitude, 10 * np.log10(np.mean(rest**2) / (amplitude**2 / 2) + 1e-300)


def noise(seconds, rate, seed=1):
    """Stereo noise, float32, channels x frames."""
    frames = int(seconds * rate)
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (2, frames)).astype(np.float32)


def check_binaural(audio, rate, left, right, level=0.1):
    """Asserts two lone tones in a settled render: exact, pure, of the right level and apart."""
    seconds = 10
    for ear, (own, other) in enumerate([(left, right), (right, left)]):
        found = frequency(audio[ear], rate, own)
        assert abs(found - own) <= 1e-6, f"ear {ear}: {found:.9f} Hz for {own}"
        part = audio[ear][: seconds * rate]
        amplitude, rest = fit(part, rate, own)
        assert abs(amplitude - level) < 1e-6, f"ear {ear}: amplitude {amplitude} for {level}"
        assert rest <= -140, f"ear {ear}: the rest is at {rest:.1f} dB"
        time = np.arange(len(part)) / rate
        leak = np.abs(np.mean((part - own_tone(part, rate, own)) * np.exp(-2j * np.pi * other * time))) * 2
        leak = 20 * np.log10(leak / amplitude + 1e-300)
        assert leak <= -140, f"ear {ear}: the other ear's tone is at {leak:.1f} dB"
        print(f"  ear {ear}: {found:.9f} Hz, rest {rest:.1f} dB, other ear {leak:.1f} dB")


def own_tone(signal, rate, tone):
    """The least-squares fit of `tone` in a signal."""
    time = np.arange(len(signal)) / rate
    basis = np.stack([np.sin(2 * np.pi * tone * time), np.cos(2 * np.pi * tone * time)])
    return np.linalg.lstsq(basis.T, signal.astype(np.float64), rcond=None)[0] @ basis
