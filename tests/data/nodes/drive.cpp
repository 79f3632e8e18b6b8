// Drives every node that is written in C++ through all of its contract, for the sanitizers (tests/memory.rs): all block
// sizes, parameters at their ends, what is not finite, buffers that are shared, instances on threads.
#include "node.h"
#include <cmath>
#include <cstdio>
#include <limits>
#include <thread>
#include <vector>

extern "C" {
const zg_node_descriptor* zg_node_ceiling(void);
const zg_node_descriptor* zg_node_late(void);
const zg_node_descriptor* zg_node_rotate(void);
const zg_node_descriptor* zg_node_shift(void);
}

namespace {

uint64_t step(uint64_t& state) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

bool drive(const zg_node_descriptor* d, double rate, uint64_t seed) {
    constexpr uint32_t most = 256;
    void* node = d->create();
    if (!node || d->init(node, rate, most)) return false;
    // Buffers of just the size: what is written beyond is seen.
    std::vector<std::vector<float>> in(d->inputs, std::vector<float>(most));
    std::vector<std::vector<float>> out(d->outputs, std::vector<float>(most));
    std::vector<const float*> ins(d->inputs);
    std::vector<float*> outs(d->outputs);
    const float odd[] = {0.0f, 1e-42f, std::numeric_limits<float>::max(), std::numeric_limits<float>::infinity(),
                         std::numeric_limits<float>::quiet_NaN()};
    for (int round = 0; round < 60; ++round) {
        const uint32_t frames = round % 5 == 0 ? most : static_cast<uint32_t>(step(seed) % (most + 1));
        for (uint32_t i = 0; i < d->param_count; ++i) {
            const zg_param& p = d->params[i];
            if (p.kind != ZG_PARAM_READOUT && step(seed) % 4 == 0) {
                const double share = static_cast<double>(step(seed) % 5) / 4.0;
                d->set_param(node, i, p.min + (p.max - p.min) * share);
            }
            (void)d->get_param(node, i);
        }
        if (d->set_phase && d->phases[0])
            for (uint32_t i = 0; i < 2; ++i) d->set_phase(node, i, step(seed), step(seed) >> 12, 1 << 20);
        for (uint32_t c = 0; c < d->inputs; ++c) {
            for (uint32_t n = 0; n < frames; ++n)
                in[c][n] = static_cast<float>(static_cast<double>(step(seed) % 2001) / 1000.0 - 1.0);
            if (round % 9 == 8 && frames) in[c][step(seed) % frames] = odd[step(seed) % 5];
            ins[c] = in[c].data();
        }
        for (uint32_t c = 0; c < d->outputs; ++c)
            outs[c] = round % 2 && c < d->inputs ? in[c].data() : out[c].data();
        d->process(node, ins.data(), outs.data(), frames);
        if (round % 20 == 19) d->reset(node);
    }
    d->destroy(node);
    return true;
}

} // namespace

int main() {
    const zg_node_descriptor* all[] = {zg_node_ceiling(), zg_node_late(), zg_node_rotate(), zg_node_shift()};
    bool fine[2] = {true, true};
    auto work = [&](int thread) {
        for (const zg_node_descriptor* d : all)
            for (double rate : {8000.0, 44100.0, 48000.0, 192000.0})
                fine[thread] = drive(d, rate, 88172645463325252ull + static_cast<uint64_t>(thread)) && fine[thread];
    };
    std::thread other(work, 1);
    work(0);
    other.join();
    std::puts(fine[0] && fine[1] ? "driven" : "a node could not be made");
    return fine[0] && fine[1] ? 0 : 1;
}
