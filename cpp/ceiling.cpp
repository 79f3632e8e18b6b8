// ceiling.cpp: a peak ceiling without latency: no sample leaves above it.
//
// The gain falls in the very frame that needs it, holds for 10 ms, and recovers as a one-pole of 100 ms
// that ends at exactly 1; while no sample exceeds the ceiling the gain is exactly 1 and the signal passes
// bit for bit. Both channels share one gain. Without look-ahead an onset above the ceiling is shaped at
// its first peaks (that is the price of zero latency). Switching on and off is a raised cosine of 30 ms,
// moving the ceiling a line of 20 ms; the promise holds from the end of that fade.
#include "node.h"

#include <cmath>
#include <cstdlib>
#include <new>

namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kFade = 0.02;     // s, of a moved ceiling
constexpr double kSwitch = 0.03;   // s, on and off
constexpr double kHold = 0.01;     // s
constexpr double kRelease = 0.1;   // s
constexpr double kNearlyOne = 1e-6; // from here the gain is 1: a step of 1e-6 is -120 dB

enum Param { kOn, kCeiling, kGain, kParams };

const zg_param params[kParams] = {
    { "on", "", "Off passes the signal bit for bit", 0, 1, 0, 1, ZG_SCALE_LINEAR, ZG_PARAM_SWITCH },
    { "ceiling", "dB", "Highest sample peak that leaves, in dBFS", -24, 0, -1, 0.01, ZG_SCALE_LINEAR,
        ZG_PARAM_NUMBER },
    { "gain", "", "Gain now", 0, 1, 1, 0, ZG_SCALE_LINEAR, ZG_PARAM_READOUT },
};

struct Ceiling {
    double rate = 48000;
    double on = 0, ceiling = -1; // as set
    // Where the fades are: the share of the ceiling's gain, and the ceiling as a factor.
    double enabled = 0, limit = 1, limit_step = 0;
    double gain = 1;
    double hold_left = 0;

    double target_limit() const { return std::pow(10.0, ceiling / 20.0); }

    void restart()
    {
        enabled = on;
        limit = target_limit();
        limit_step = 0;
        gain = 1;
        hold_left = 0;
    }

    void set(uint32_t index, double value)
    {
        if (index == kOn) {
            on = value >= 0.5 ? 1 : 0;
        } else if (index == kCeiling) {
            ceiling = value;
            limit_step = (target_limit() - limit) / (kFade * rate);
        }
    }

    void move_limit(double target)
    {
        if (limit_step == 0) {
            return;
        }
        limit += limit_step;
        if ((limit_step > 0) == (limit >= target)) {
            limit = target;
            limit_step = 0;
        }
    }

    void process(const float* const* in, float* const* out, uint32_t frames)
    {
        const double fade_step = 1 / (kSwitch * rate);
        const double release = std::exp(-1 / (kRelease * rate));
        const double target = target_limit();
        for (uint32_t i = 0; i < frames; ++i) {
            const double left = in[0][i], right = in[1][i];
            move_limit(target);
            enabled = on > enabled ? std::fmin(1, enabled + fade_step)
                                   : std::fmax(on, enabled - fade_step);
            if (enabled == 0) {
                gain = 1;
                out[0][i] = in[0][i];
                out[1][i] = in[1][i];
                continue;
            }
            const double peak = std::fmax(std::fabs(left), std::fabs(right));
            const double needed = peak > limit ? limit / peak : 1;
            if (needed <= gain) {
                gain = needed;
                hold_left = needed < 1 ? kHold * rate : hold_left;
            } else if (hold_left > 0) {
                hold_left -= 1;
            } else {
                gain = 1 - (1 - gain) * release;
                gain = gain > 1 - kNearlyOne ? 1 : gain;
                gain = std::fmin(gain, needed);
            }
            const double share = enabled == 1 ? 1 : 0.5 - 0.5 * std::cos(kPi * enabled);
            const double applied = 1 - share + share * gain;
            out[0][i] = cut(left * applied, gain);
            out[1][i] = cut(right * applied, gain);
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
    at(node).rate = rate;
    at(node).restart();
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
    const Ceiling& self = at(node);
    return index == kOn ? self.on : index == kCeiling ? self.ceiling : self.gain;
}

const zg_node_descriptor descriptor = {
    ZG_ABI, 2, 2, 0, "c++",
    "Peak ceiling: no sample leaves above it. No latency, stereo-linked.",
    "program: stereo", "program: stereo", "", kParams, params,
    create, destroy, init, reset, process, set_param, get_param, nullptr,
};

} // namespace

extern "C" const zg_node_descriptor* zg_node_ceiling(void) { return &descriptor; }
