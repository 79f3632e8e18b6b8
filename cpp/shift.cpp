// shift.cpp: single-sideband frequency shift: every frequency of an ear moves by the same number of hertz.
//
// A pair of allpass chains, I and Q, whose phases differ by 90 degrees from 20 Hz to 20 Hz below the Nyquist
// frequency, and out = I cos p - Q sin p for the phase p of the shift: what is at f goes to f + shift, and
// the image at f - shift stays 90 dB below. The chains are the two branches of an elliptic half-band filter
// turned by 90 degrees, of sections (a - z^-2) / (1 - a z^-2) (R. Ansari, 1987; R. Valenzuela and A. G.
// Constantinides, 1983), designed for the rate at init: 16 sections at 48 kHz, of which half run in each
// chain. No latency: the first sample out answers the first one in. The price is group delay, like that of a
// loudspeaker: at any rate 11 ms at 40 Hz, 0.6 ms at 1 kHz, nothing above.
//
// With depth d the ear hears (1 - d) I + d out: I, not the dry signal, which would comb with it. DC and
// what lies below 5 Hz is blocked, for it would become a tone at the shift. Left and right have a phase each;
// nothing crosses. Folded to mono, opposite shifts of +-f are by nature full amplitude modulation at 2 f.
#include "node.h"
#include "sine.h"

#include <cmath>
#include <cstdlib>
#include <new>

namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kLowest = 20;     // Hz, lower end of the band in which the phases differ by 90 degrees
constexpr double kImage = 90;      // dB by which the image lies below
constexpr double kBlocked = 5;     // Hz, corner of the DC blocker (Butterworth, order 2)
constexpr int kMaxSections = 31;   // more than 768 kHz needs
constexpr int kEars = 2;
constexpr int kLine = 32;          // frames of a straight line to a new depth

enum Param { kDepth, kParams };

const zg_param params[kParams] = {
    { "depth", "", "0 is the unshifted signal behind the same allpass; a change takes 64 frames", 0, 1, 1,
        0.001, ZG_SCALE_LINEAR, ZG_PARAM_NUMBER },
};

// Complete elliptic integral of the first kind of modulus k, by the arithmetic-geometric mean.
double elliptic(double complement)
{
    double a = 1, b = complement;
    for (int i = 0; i < 40 && std::fabs(a - b) > 1e-16 * a; ++i) {
        const double mean = 0.5 * (a + b);
        b = std::sqrt(a * b);
        a = mean;
    }
    return kPi / (2 * a);
}

// Coefficients of an elliptic half-band filter as two allpass branches; entries alternate between the
// branches. `edge` is the lower end of the band over the rate.
int design(double edge, double image, double* coefficients)
{
    const double selectivity = std::tan(kPi * (0.25 - edge)) * std::tan(kPi * (0.25 - edge));
    const double complement = std::sqrt((1 - selectivity) * (1 + selectivity));
    // The nome of the modulus.
    const double nome = std::exp(-kPi * elliptic(selectivity) / elliptic(complement));
    const double power = std::pow(10.0, -image / 10);
    const double ripple = power / (1 - power);
    int order = static_cast<int>(std::ceil(std::log(ripple * ripple / 16) / std::log(nome)));
    order = order < 3 ? 3 : order % 2 == 0 ? order + 1 : order;
    order = order > 2 * kMaxSections + 1 ? 2 * kMaxSections + 1 : order;
    const int sections = (order - 1) / 2;
    for (int s = 0; s < sections; ++s) {
        const double angle = (s + 1) * kPi / order;
        double up = 0, down = 0.5;
        for (int i = 0; i < 200; ++i) {
            const double sign = i % 2 == 0 ? 1 : -1;
            up += sign * std::pow(nome, i * (i + 1.0)) * std::sin((2 * i + 1) * angle);
            down -= sign * std::pow(nome, (i + 1.0) * (i + 1.0)) * std::cos(2 * (i + 1) * angle);
        }
        const double w = std::pow(nome, 0.25) * up / down;
        const double w2 = w * w;
        const double x
            = std::sqrt((1 - w2 * selectivity) * (1 - w2 / selectivity)) / (1 + w2);
        coefficients[s] = (1 - x) / (1 + x);
    }
    return sections;
}

// The two chains of both ears. Section s belongs to chain s % 2.
struct Chains {
    int sections = 0;
    double coefficient[kMaxSections] = {};
    // What went into each section, and what came out of the last of each chain, one and two frames ago:
    // a section's output is the next one's input.
    double past[kMaxSections + 2][2][kEars] = {};

    void clear()
    {
        for (auto& stage : past) {
            for (auto& age : stage) {
                age[0] = age[1] = 0;
            }
        }
    }

    // In: both ears; out: I in chain[0], Q in chain[1].
    void step(const double* in, double chain[2][kEars])
    {
        for (int c = 0; c < 2; ++c) {
            double now[kEars] = { in[0], in[1] };
            int s = c;
            for (; s < sections; s += 2) {
                double* one = past[s][0];
                double* two = past[s][1];
                // The section's last outputs are what the next one of its chain remembers.
                const double* out = past[s + 2][1];
                for (int e = 0; e < kEars; ++e) {
                    const double y = coefficient[s] * (now[e] + out[e]) - two[e];
                    two[e] = one[e];
                    one[e] = now[e];
                    now[e] = y;
                }
            }
            double* one = past[s][0];
            double* two = past[s][1];
            for (int e = 0; e < kEars; ++e) {
                chain[c][e] = now[e];
                two[e] = one[e];
                one[e] = now[e];
            }
        }
        // The Q branch of the half-band filter is one frame late.
        for (int e = 0; e < kEars; ++e) {
            const double late = delayed[e];
            delayed[e] = chain[1][e];
            chain[1][e] = late;
        }
    }

    double delayed[kEars] = {};
};

struct Blocker {
    // Butterworth high-pass by the bilinear transform, transposed direct form 2.
    double b = 1, a1 = 0, a2 = 0;
    double s1[kEars] = {}, s2[kEars] = {};

    void design(double rate)
    {
        const double g = std::tan(kPi * kBlocked / rate);
        const double norm = 1 / (1 + std::sqrt(2.0) * g + g * g);
        b = norm;
        a1 = 2 * (g * g - 1) * norm;
        a2 = (1 - std::sqrt(2.0) * g + g * g) * norm;
    }

    double step(double x, int e)
    {
        const double y = b * x + s1[e];
        s1[e] = -2 * b * x - a1 * y + s2[e];
        s2[e] = b * x - a2 * y;
        return y;
    }
};

// A depth on its way, as zg.line of faust/zeitgeber.lib: straight lines of 32 frames to each new value, and
// the mean of the last 32 frames of those.
struct Line {
    double value = 0, target = 0;
    int left = 0, place = 0, uneven = 0; // uneven: frames until all in `last` are alike
    double last[kLine] = {};

    void jump(double to)
    {
        value = target = to;
        left = uneven = 0;
        for (double& x : last) {
            x = to;
        }
    }

    double step(double to)
    {
        if (to != target) {
            target = to;
            left = kLine;
        }
        if (left > 0) {
            value = left == 1 ? target : value + (target - value) / left;
            left -= 1;
            uneven = kLine;
        }
        if (uneven == 0) {
            return value;
        }
        uneven -= 1;
        last[place] = value;
        place = (place + 1) % kLine;
        double sum = 0;
        for (const double x : last) {
            sum += x;
        }
        return sum / kLine;
    }
};

struct Shift {
    double depth = 1;
    Line line;
    bool started = false;
    Chains chains;
    Blocker blocker;
    Phase phase[kEars];

    void init(double rate)
    {
        chains.sections = design(kLowest / rate, kImage, chains.coefficient);
        blocker.design(rate);
        reset();
    }

    void reset()
    {
        chains.clear();
        for (int e = 0; e < kEars; ++e) {
            chains.delayed[e] = blocker.s1[e] = blocker.s2[e] = 0;
        }
        started = false;
    }

    void process(const float* const* in, float* const* out, uint32_t frames)
    {
        for (uint32_t i = 0; i < frames; ++i) {
            if (!started) {
                started = true;
                line.jump(depth);
            }
            const double applied = line.step(depth);
            const double ears[kEars] = { blocker.step(in[0][i], 0), blocker.step(in[1][i], 1) };
            double chain[2][kEars];
            chains.step(ears, chain);
            for (int e = 0; e < kEars; ++e) {
                const double p = phase[e].step();
                const double shifted = chain[0][e] * cosine(p) - chain[1][e] * sine(p);
                out[e][i] = static_cast<float>(chain[0][e] + applied * (shifted - chain[0][e]));
            }
        }
    }
};

Shift& at(void* node) { return *static_cast<Shift*>(node); }

void* create()
{
    void* memory = std::malloc(sizeof(Shift));
    return memory == nullptr ? nullptr : new (memory) Shift();
}

void destroy(void* node) { std::free(node); }

const char* init(void* node, double rate, uint32_t)
{
    at(node).init(rate);
    return nullptr;
}

void reset(void* node) { at(node).reset(); }

void process(void* node, const float* const* in, float* const* out, uint32_t frames)
{
    at(node).process(in, out, frames);
}

void set_param(void* node, uint32_t, double value) { at(node).depth = value; }

double get_param(void* node, uint32_t) { return at(node).depth; }

void set_phase(void* node, uint32_t index, uint64_t phase, uint64_t increment, int64_t sweep)
{
    at(node).phase[index].set(phase, increment, sweep);
}

const zg_node_descriptor descriptor = {
    ZG_ABI, 2, 2, 0, "c++",
    "Single-sideband frequency shift of each ear by its own phase: left down and right up carry a beat.",
    "program: stereo", "program: stereo", "left:-5, right:5", kParams, params,
    create, destroy, init, reset, process, set_param, get_param, set_phase,
};

} // namespace

extern "C" const zg_node_descriptor* zg_node_shift(void) { return &descriptor; }
