// fixture.h: a node of one channel in and out whose `process` is what a test makes of it.
#include "node.h"

#include <cstdlib>

namespace {

void* create() { return std::calloc(1, 64); }
void destroy(void* node) { std::free(node); }
const char* init(void*, double, uint32_t) { return nullptr; }
void reset(void*) {}
void set_param(void*, uint32_t, double) {}
double get_param(void*, uint32_t) { return 0; }
void process(void* node, const float* const* in, float* const* out, uint32_t frames);

constexpr zg_node_descriptor describe(uint32_t abi)
{
    return { abi, 1, 1, 0, "c++", "A node of a test.", "", "", "", 0, nullptr, create, destroy, init, reset,
        process, set_param, get_param, nullptr };
}

} // namespace

#define NODE(NAME, ABI)                                                                                     \
    extern "C" const zg_node_descriptor* zg_node_##NAME(void)                                              \
    {                                                                                                      \
        static const zg_node_descriptor descriptor = describe(ABI);                                        \
        return &descriptor;                                                                                \
    }
