// ceiling.cpp: a peak ceiling without latency: no sample leaves above it, and hardly a true peak.
//
// The gain falls in the very frame whose sample needs it. Peaks between the samples are found twelve
// frames later, by a four-times interpolation of what came in (as ITU-R BS.1770-4, annex 2, with 24
// taps a phase): the gain then falls to what they need. It holds for 25 ms and recovers as a one-pole of 100 ms
// that ends at exactly 1. So steady tones stay below the ceiling in true peak too; the first peak of an onset
// may exceed it between the samples, which nothing without look-ahead can prevent. What leaves is measured
// in the same way: `overshoot` tells by how much it exceeded. While no peak exceeds the ceiling, the gain
// is exactly 1 and the signal passes bit for bit.
//
// Both channels share one gain. Switching on and off is a raised cosine of 30 ms. A ceiling that rises is a
// line of 20 ms; for one that falls the gain goes in a raised cosine of 20 ms to what the highest peak of late
// needs, so that no crest is cut. A move that has begun is finished before the next; the promise holds from
// its end.
#include "node.h"

#include <cmath>
#include <cstdlib>
#include <new>

namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kFade = 0.02;     // s, of a moved ceiling
constexpr double kSwitch = 0.03;   // s, on and off
constexpr double kHold = 0.025;    // s: half a period of 20 Hz
constexpr double kAttack = 0.0002; // s, to what peaks between the samples need: they are past anyway
constexpr double kRelease = 0.1;   // s
constexpr double kMeterFall = 1;   // s in which the display of the overshoot falls to a third
constexpr double kNearlyOne = 1e-6; // from here the gain is 1: a step of 1e-6 is -120 dB

enum Param { kOn, kCeiling, kGain, kOvershoot, kParams };

const zg_param params[kParams] = {
    { "on", "", "Off passes the signal bit for bit", 0, 1, 0, 1, ZG_SCALE_LINEAR, ZG_PARAM_SWITCH },
    { "ceiling", "dB", "Highest peak that leaves, in dBFS", -24, 0, -1, 0.01, ZG_SCALE_LINEAR,
        ZG_PARAM_NUMBER },
    { "gain", "", "Gain now", 0, 1, 1, 0, ZG_SCALE_LINEAR, ZG_PARAM_READOUT },
    { "overshoot", "dB", "By how much a true peak has just exceeded the ceiling", 0, 24, 0, 0,
        ZG_SCALE_LINEAR, ZG_PARAM_READOUT },
};

// The larger and the smaller; where one is no number, the other. The library's are calls, and there are many.
inline double larger(double a, double b) { return b > a || a != a ? b : a; }
inline double smaller(double a, double b) { return b < a || a != a ? b : a; }

constexpr int kEars = 2;
constexpr int kTaps = 24;
constexpr int kPhases = 4; // a quarter, a half, three quarters; one lane is spare
// What the interpolation can raise a peak by: below this share of the ceiling nothing has to be looked at.
constexpr double kQuiet = 0.35;

// Modified Bessel function of order 0, for Kaiser's window.
double bessel(double x)
{
    double sum = 1, term = 1;
    for (int k = 1; k < 40; ++k) {
        term *= (x / (2 * k)) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

// Finds the peaks between the samples of both ears.
struct Detector {
    typedef float Phases __attribute__((vector_size(4 * kPhases)));
    Phases taps[kTaps] = {};
    // The last samples twice, so that they always lie in one piece, and once for each phase.
    Phases past[kEars][2 * kTaps] = {};
    int place = 0;
    int quiet = kTaps; // frames since something was loud enough
    int seen = kTaps;  // frames since it woke, when the last ones it knew were of another time

    Detector()
    {
        for (int p = 0; p < 3; ++p) {
            double sum = 0, row[kTaps];
            for (int t = 0; t < kTaps; ++t) {
                const double x = t - (kTaps / 2 - 1) - 0.25 * (p + 1);
                const double edge = x / (kTaps / 2);
                const double window = edge * edge < 1 ? bessel(4 * std::sqrt(1 - edge * edge)) : 0;
                row[t] = std::sin(kPi * x) / (kPi * x) * window;
                sum += row[t];
            }
            for (int t = 0; t < kTaps; ++t) {
                taps[t][p] = static_cast<float>(row[t] / sum);
            }
        }
    }

    void clear()
    {
        for (auto& ear : past) {
            for (Phases& x : ear) {
                x = Phases {};
            }
        }
        place = 0;
        quiet = seen = kTaps;
    }

    // Takes a frame whose larger sample is `peak`; whether what lies between the samples half of kTaps ago can be a
    // peak.
    bool hear(float left, float right, double peak, double limit)
    {
        past[0][place] = past[0][place + kTaps] = left - Phases {};
        past[1][place] = past[1][place + kTaps] = right - Phases {};
        place = place + 1 == kTaps ? 0 : place + 1;
        quiet = peak > kQuiet * limit ? 0 : quiet + 1;
        if (seen < kTaps) {
            // The seam to what it heard before its rest is no peak.
            seen += 1;
            return false;
        }
        if (quiet >= kTaps) {
            quiet = kTaps;
            return false;
        }
        return true;
    }

    // The highest peak between samples half of kTaps ago.
    double find() const
    {
        float highest = 0;
        for (int ear = 0; ear < kEars; ++ear) {
            const Phases* x = past[ear] + place;
            // Four sums at a time: each alone would wait for itself.
            Phases a = {}, b = {}, c = {}, d = {};
            for (int t = 0; t < kTaps; t += 4) {
                a += taps[t] * x[t];
                b += taps[t + 1] * x[t + 1];
                c += taps[t + 2] * x[t + 2];
                d += taps[t + 3] * x[t + 3];
            }
            const Phases sum = (a + b) + (c + d);
            for (int p = 0; p < kPhases; ++p) {
                const float value = std::fabs(sum[p]);
                highest = value > highest ? value : highest;
            }
        }
        return highest;
    }
};

// A gain that falls to what is needed, holds, and comes back to exactly 1.
struct Follower {
    double gain = 1;
    double hold_left = 0;

    // `attack` is the share of its way down that is left after a frame: 0 is at once.
    void move(double needed, double attack, double hold, double release)
    {
        if (needed <= gain) {
            gain = needed + (gain - needed) * attack;
            hold_left = needed < 1 ? hold : hold_left;
        } else if (hold_left > 0) {
            hold_left -= 1;
        } else {
            gain = 1 - (1 - gain) * release;
            gain = gain > 1 - kNearlyOne ? 1 : gain;
            gain = smaller(gain, needed);
        }
    }
};

struct Ceiling {
    double rate = 48000;
    double on = 0, ceiling = -1; // as set
    // Where the fades are: the share of the ceiling's gain, and the ceiling as a factor.
    double enabled = 0, limit = 1;
    double heading = 0; // where `enabled` goes: a fade that has begun is finished first, or it has a corner
    // A ceiling on its way: to which factor, its line if it rises, how far it is and from which gain if it falls.
    double goal = 1, limit_step = 0, fallen = 1, fall_from = 1;
    double held = 0, held_left = 0; // the highest peak of late
    Follower peaks, between; // of samples, and of what lies between them
    double gain = 1;         // the lower of both
    double exceeded = 1; // by what factor the true peak exceeded the ceiling, falling back to 1
    Detector before, after;
    int same = kTaps; // frames for which what left was what came, up to kTaps: both detectors hear the same then
    // What follows from the rate, and from the ceiling.
    double fade_step = 0, release = 0, attack = 0, hold = 0, forget = 0, target = 1;

    void prepare(double sample_rate)
    {
        rate = sample_rate;
        fade_step = 1 / (kSwitch * rate);
        release = std::exp(-1 / (kRelease * rate));
        attack = std::exp(-1 / (kAttack * rate));
        hold = kHold * rate;
        forget = std::exp(-1 / (kMeterFall * rate));
        target = target_limit();
        restart();
    }

    double target_limit() const { return std::pow(10.0, ceiling / 20.0); }

    void restart()
    {
        same = kTaps;
        enabled = heading = on;
        limit = goal = target;
        limit_step = 0;
        fallen = 1;
        held = held_left = 0;
        peaks = between = Follower();
        gain = 1;
        exceeded = 1;
        before.clear();
        after.clear();
    }

    void set(uint32_t index, double value)
    {
        if (index == kOn) {
            on = value >= 0.5 ? 1 : 0;
            if (on == 1 && enabled == 0) {
                before.seen = after.seen = 0;
                held = held_left = 0;
            }
        } else if (index == kCeiling) {
            ceiling = value;
            target = target_limit();
        }
    }

    double get(uint32_t index) const
    {
        switch (index) {
        case kOn:
            return on;
        case kCeiling:
            return ceiling;
        case kGain:
            return gain;
        default:
            return exceeded > 1 ? 20 * std::log10(exceeded) : 0;
        }
    }

    void move_limit()
    {
        if (enabled == 0) {
            limit = goal = target;
            limit_step = 0;
            fallen = 1;
        } else if (fallen == 1 && limit_step == 0 && target != limit) {
            goal = target;
            if (goal > limit) {
                limit_step = (goal - limit) / (kFade * rate);
            } else {
                fallen = 0;
                fall_from = gain;
            }
        }
        if (limit_step > 0) {
            limit += limit_step;
            if (limit >= goal) {
                limit = goal;
                limit_step = 0;
            }
        }
    }

    void hold_peak(double peak)
    {
        if (peak >= held) {
            held = peak;
            held_left = hold;
        } else if (held_left > 0) {
            held_left -= 1;
        } else {
            held *= release;
        }
    }

    // The gain of a ceiling that falls. At its end the new ceiling holds, from that gain on.
    double fall()
    {
        if (fallen == 1) {
            return 1;
        }
        fallen = smaller(1, fallen + 1 / (kFade * rate));
        const double needed = held > goal ? goal / held : 1;
        const double now = fall_from + (needed - fall_from) * (0.5 - 0.5 * std::cos(kPi * fallen));
        if (fallen == 1) {
            limit = goal;
            if (now < peaks.gain) {
                peaks.gain = now;
                peaks.hold_left = hold;
            }
        }
        return now;
    }

    void process(const float* const* in, float* const* out, uint32_t frames)
    {
        for (uint32_t i = 0; i < frames; ++i) {
            const float left = in[0][i], right = in[1][i];
            move_limit();
            if (enabled == 0 || enabled == 1) {
                heading = on;
            }
            enabled = heading > enabled ? smaller(1, enabled + fade_step)
                                        : larger(heading, enabled - fade_step);
            const double peak = larger(std::fabs(left), std::fabs(right));
            // It listens while it is off too, or it would not know the last peaks when it is switched on.
            const bool close = before.hear(left, right, peak, limit);
            const double hidden = close ? before.find() : 0;
            hold_peak(larger(peak, hidden));
            if (enabled == 0) {
                peaks = between = Follower();
                gain = 1;
                out[0][i] = left;
                out[1][i] = right;
            } else {
                const double falling = fall();
                peaks.move(peak > limit ? limit / peak : 1, 0, hold, release);
                between.move(hidden > limit ? limit / hidden : 1, attack, hold, release);
                gain = smaller(falling, smaller(peaks.gain, between.gain));
                const double share = enabled == 1 ? 1 : 0.5 - 0.5 * std::cos(kPi * enabled);
                const double applied = 1 - share + share * gain;
                out[0][i] = cut(left * applied, gain);
                out[1][i] = cut(right * applied, gain);
            }
            const double out_peak = larger(std::fabs(out[0][i]), std::fabs(out[1][i]));
            same = out[0][i] != left || out[1][i] != right ? 0 : same < kTaps ? same + 1 : kTaps;
            const bool loud = after.hear(out[0][i], out[1][i], out_peak, limit);
            const double left_over = (!loud ? 0 : close && same == kTaps ? hidden : after.find()) / limit;
            exceeded = larger(enabled == 1 ? left_over : 1, 1 + (exceeded - 1) * forget);
        }
    }

    // Rounding to float can exceed the ceiling by half a step: the largest float at or below it is the
    // bound once the fade-in is over.
    float cut(double value, double now) const
    {
        const float rounded = static_cast<float>(value);
        if (enabled < 1 || now == 1) {
            return rounded;
        }
        float bound = static_cast<float>(limit);
        bound = bound > limit ? std::nextafterf(bound, 0.0f) : bound;
        return rounded > bound ? bound : rounded < -bound ? -bound : rounded;
    }
};

Ceiling& at(void* node) { return *static_cast<Ceiling*>(node); }

void* create()
{
    void* memory = std::malloc(sizeof(Ceiling));
    return memory == nullptr ? nullptr : new (memory) Ceiling();
}

void destroy(void* node) { std::free(node); }

const char* init(void* node, double rate, uint32_t)
{
    at(node).prepare(rate);
    return nullptr;
}

void reset(void* node) { at(node).restart(); }

void process(void* node, const float* const* in, float* const* out, uint32_t frames)
{
    at(node).process(in, out, frames);
}

void set_param(void* node, uint32_t index, double value) { at(node).set(index, value); }

double get_param(void* node, uint32_t index)
{
    return at(node).get(index);
}

const zg_node_descriptor descriptor = {
    ZG_ABI, 2, 2, 0, "c++",
    "Peak ceiling: no sample leaves above it, and hardly a true peak. No latency, stereo-linked.",
    "program: stereo", "program: stereo", "", kParams, params,
    create, destroy, init, reset, process, set_param, get_param, nullptr,
};

} // namespace

extern "C" const zg_node_descriptor* zg_node_ceiling(void) { return &descriptor; }
