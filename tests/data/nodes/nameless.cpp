// nameless.cpp: exports another name than its file's.
#include "fixture.h"

namespace {
void process(void*, const float* const* in, float* const* out, uint32_t) { out[0][0] = in[0][0]; }
} // namespace

NODE(somebody_else, ZG_ABI)
