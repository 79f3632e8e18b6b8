// crash.cpp: writes where nothing is.
#include "fixture.h"

namespace {

void process(void*, const float* const* in, float* const* out, uint32_t frames)
{
    volatile float* nowhere = nullptr;
    for (uint32_t i = 0; i < frames; ++i) {
        *nowhere = out[0][i] = in[0][i];
    }
}

} // namespace

NODE(crash, ZG_ABI)
