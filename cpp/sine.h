/* sine.h: what C++ nodes share of phases and sines. */
#ifndef ZEITGEBER_SINE_H
#define ZEITGEBER_SINE_H

#include <cmath>
#include <cstdint>

namespace {

/* Frame k has the phase start + k increment + k (k - 1) / 2 sweep, modulo 2^64, which is one cycle. */
struct Phase {
    uint64_t start = 0, increment = 0;
    int64_t sweep = 0;
    uint64_t frame = 0;

    void set(uint64_t phase, uint64_t inc, int64_t change)
    {
        start = phase;
        increment = inc;
        sweep = change;
        frame = 0;
    }

    /* The phase of this frame in cycles, -0.5 to 0.5, and moves on. */
    double step()
    {
        const uint64_t pairs = frame * (frame - 1) / 2;
        const uint64_t phase
            = start + frame * increment + pairs * static_cast<uint64_t>(sweep);
        frame += 1;
        return static_cast<double>(static_cast<int64_t>(phase)) * (1.0 / 18446744073709551616.0);
    }
};

/* sin(2 pi x) for |x| <= 1: the polynomial of faust/zeitgeber.lib, the same bits on every machine. */
inline double sine(double x)
{
    const double r = x - std::floor(x + 0.5);
    const double a = std::fabs(r);
    const double folded = a > 0.25 ? 0.5 - a : a;
    const double q = r < 0 ? -folded : folded;
    const double t = q * q;
    return q
        * (6.283185307179586
            + t * (-41.341702240399755
                + t * (81.60524927607362
                    + t * (-76.70585975282492
                        + t * (42.058693925428685
                            + t * (-15.0946416761179
                                + t * (3.8199280942271643
                                    + t * (-0.7177337921413454 + t * 0.10089695501646812))))))));
}

inline double cosine(double x) { return sine(x + 0.25); }

} // namespace

#endif
