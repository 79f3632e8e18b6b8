// slow.cpp: takes a whole core for itself.
#include "fixture.h"

namespace {

void process(void*, const float* const* in, float* const* out, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; ++i) {
        volatile float x = in[0][i];
        for (int n = 0; n < 40000; ++n) {
            x = x * 0.999f;
        }
        out[0][i] = x;
    }
}

} // namespace

NODE(slow, ZG_ABI)
