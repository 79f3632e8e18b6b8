// other_abi.cpp: speaks a version of the ABI that does not exist.
#include "fixture.h"

namespace {

void process(void*, const float* const* in, float* const* out, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; ++i) {
        out[0][i] = in[0][i];
    }
}

} // namespace

NODE(other_abi, 99)
