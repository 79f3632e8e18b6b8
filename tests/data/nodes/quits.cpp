// quits.cpp: ends the program.
#include "fixture.h"

namespace {

void process(void*, const float* const* in, float* const* out, uint32_t frames)
{
    std::exit(0);
    out[0][0] = in[0][frames - 1];
}

} // namespace

NODE(quits, ZG_ABI)
