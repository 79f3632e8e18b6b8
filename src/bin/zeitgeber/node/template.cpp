// NAME.cpp: gain and a low-pass, stereo: a beginning.
#include "node.h"

#include <cmath>
#include <cstdlib>
#include <new>

namespace {

constexpr int kEars = 2;

enum Param { kGain, kCutoff, kParams };

const zg_param params[kParams] = {
    { "gain", "dB", "Gain", -40, 12, 0, 0.1, ZG_SCALE_LINEAR, ZG_PARAM_NUMBER },
    { "cutoff", "Hz", "Frequency of the low-pass", 20, 20000, 8000, 1, ZG_SCALE_LOG, ZG_PARAM_NUMBER },
};

struct Node {
    double values[kParams] = { 0, 8000 };
    double rate = 48000;
    double state[kEars] = {};
};

Node& at(void* node) { return *static_cast<Node*>(node); }

void* create()
{
    void* memory = std::malloc(sizeof(Node));
    return memory == nullptr ? nullptr : new (memory) Node();
}

void destroy(void* node) { std::free(node); }

void reset(void* node)
{
    for (double& state : at(node).state) {
        state = 0;
    }
}

// Null is success; otherwise a reason in plain English.
const char* init(void* node, double rate, uint32_t)
{
    at(node).rate = rate;
    reset(node);
    return nullptr;
}

// No allocation, lock or system call in here; a block may have any length, from 0 on, and how the signal is
// cut into blocks must not change a bit.
void process(void* node, const float* const* in, float* const* out, uint32_t frames)
{
    Node& self = at(node);
    const double gain = std::pow(10.0, self.values[kGain] / 20);
    const double share = std::fmin(self.values[kCutoff] / self.rate, 0.45);
    const double a = 1 - std::exp(-2 * 3.14159265358979 * share);
    for (int ear = 0; ear < kEars; ++ear) {
        for (uint32_t i = 0; i < frames; ++i) {
            self.state[ear] += a * (in[ear][i] - self.state[ear]);
            out[ear][i] = static_cast<float>(gain * self.state[ear]);
        }
    }
}

void set_param(void* node, uint32_t index, double value) { at(node).values[index] = value; }

double get_param(void* node, uint32_t index) { return at(node).values[index]; }

const zg_node_descriptor descriptor = {
    ZG_ABI, kEars, kEars, 0, "c++", "Gain and a low-pass, stereo: a beginning.",
    "program: stereo", "program: stereo", "", kParams, params,
    create, destroy, init, reset, process, set_param, get_param, nullptr,
};

} // namespace

extern "C" const zg_node_descriptor* zg_node_NAME(void) { return &descriptor; }
