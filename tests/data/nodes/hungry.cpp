// hungry.cpp: wants more memory than there is, and takes it for granted.
#include "fixture.h"

#include <cstring>

namespace {

void process(void*, const float* const* in, float* const* out, uint32_t frames)
{
    char* much = static_cast<char*>(std::malloc(size_t(1) << 40));
    std::memset(much, 1, size_t(1) << 40);
    out[0][0] = in[0][frames - 1] + much[frames];
    std::free(much);
}

} // namespace

NODE(hungry, ZG_ABI)
