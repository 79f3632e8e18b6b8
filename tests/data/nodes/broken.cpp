// broken.cpp: a mistake in line 4.
#include "fixture.h"

namespace { int missing_semicolon = 1 }

NODE(broken, ZG_ABI)
