/* rotate_kernel.h: the loops of rotate.cpp, for one width of vectors.
 *
 * Included once for each instruction set, in a namespace of its own, with ZG_WIDTH (floats of a vector), ZG_TARGET (the
 * attribute that lets functions use them) and ZG_ADD_PRODUCT(sum, a, b), which may be fused. Frames are lanes: what a
 * frame becomes does not depend on how many come with it. Loops that are unrolled keep their sums in registers.
 */
typedef float Vector __attribute__((vector_size(4 * ZG_WIDTH), may_alias));
typedef float Loose __attribute__((vector_size(4 * ZG_WIDTH), aligned(4), may_alias)); // at any address
typedef int32_t Bits __attribute__((vector_size(4 * ZG_WIDTH), aligned(4), may_alias));
typedef double Doubles __attribute__((vector_size(4 * ZG_WIDTH), aligned(8), may_alias));

/* Vectors that are computed together: each entry of a matrix is loaded once for them. As many as registers hold. */
constexpr int kTogether = ZG_WIDTH >= 16 ? 2 : 1;

/* `count` rows of a matrix times the columns, at one place of the frames. */
template <int count, int parts>
ZG_TARGET inline __attribute__((always_inline)) void rows(
    const float* matrix, int size, const float* const* x, int at, Vector (*sums)[parts])
{
#pragma GCC unroll 4
    for (int row = 0; row < count; ++row) {
#pragma GCC unroll 2
        for (int part = 0; part < parts; ++part) {
            sums[row][part] = Vector {};
        }
    }
    for (int column = 0; column < size; ++column) {
        Vector in[parts];
#pragma GCC unroll 2
        for (int part = 0; part < parts; ++part) {
            in[part] = *reinterpret_cast<const Loose*>(x[column] + at + part * ZG_WIDTH);
        }
#pragma GCC unroll 4
        for (int row = 0; row < count; ++row) {
            const Vector entry = matrix[row * kColumns + column] - Vector {};
#pragma GCC unroll 2
            for (int part = 0; part < parts; ++part) {
                sums[row][part] = ZG_ADD_PRODUCT(sums[row][part], entry, in[part]);
            }
        }
    }
}

/* Adds rows of a further matrix, by a share of each frame. */
template <int count, int parts>
ZG_TARGET inline __attribute__((always_inline)) void add_rows(const float* matrix, int size, const float* const* x,
    int at, const float* share, Vector (*sums)[parts])
{
    Vector more[count][parts];
    rows<count, parts>(matrix, size, x, at, more);
#pragma GCC unroll 2
    for (int part = 0; part < parts; ++part) {
        const Vector t = *reinterpret_cast<const Loose*>(share + at + part * ZG_WIDTH);
#pragma GCC unroll 4
        for (int row = 0; row < count; ++row) {
            sums[row][part] = ZG_ADD_PRODUCT(sums[row][part], t, more[row][part]);
        }
    }
}

template <int count, int parts>
ZG_TARGET inline __attribute__((always_inline)) void blend(const Blend& blend, int first, int size,
    const float* const* x, float (*y)[kGrid], const float* way, const float* bow, int at)
{
    Vector sums[count][parts];
    const int place = first * kColumns;
    rows<count, parts>(blend.base + place, size, x, at, sums);
    if (blend.slope != nullptr) {
        add_rows<count, parts>(blend.slope + place, size, x, at, way, sums);
    }
    if (blend.bend != nullptr) {
        add_rows<count, parts>(blend.bend + place, size, x, at, bow, sums);
    }
#pragma GCC unroll 4
    for (int row = 0; row < count; ++row) {
#pragma GCC unroll 2
        for (int part = 0; part < parts; ++part) {
            *reinterpret_cast<Vector*>(y[first + row] + at + part * ZG_WIDTH) = sums[row][part];
        }
    }
}

/* All rows of a degree, which has 2 l + 1 of them, at one place. */
template <int parts>
ZG_TARGET inline __attribute__((always_inline)) void degree(const Blend& of, int size, const float* const* x,
    float (*y)[kGrid], const float* way, const float* bow, int at)
{
    int row = 0;
    for (; row + 4 <= size; row += 4) {
        blend<4, parts>(of, row, size, x, y, way, bow, at);
    }
    if (row + 3 == size) {
        blend<3, parts>(of, row, size, x, y, way, bow, at);
    } else {
        blend<1, parts>(of, row, size, x, y, way, bow, at);
    }
}

/* Rotates the channels of a degree, whole vectors of them, to `out`, which may be where they are. */
ZG_TARGET void apply(const Blend& of, int size, const float* const* x, float* const* out, const float* way,
    const float* bow, int frames)
{
    alignas(64) float y[2 * kMaxOrder + 1][kGrid];
    Bits any = {};
    for (int c = 0; c < size; ++c) {
        for (int at = 0; at < frames; at += ZG_WIDTH) {
            any |= *reinterpret_cast<const Bits*>(x[c] + at);
        }
    }
    int32_t some = 0;
    for (int k = 0; k < ZG_WIDTH; ++k) {
        some |= any[k];
    }
    if ((some & 0x7FFFFFFF) == 0) {
        /* Zeros of either sign come out as 0, as they would from the matrix. */
        for (int c = 0; c < size; ++c) {
            for (int at = 0; at < frames; at += ZG_WIDTH) {
                *reinterpret_cast<Loose*>(out[c] + at) = Loose {};
            }
        }
        return;
    }
    int at = 0;
    for (; at + (kTogether - 1) * ZG_WIDTH < frames; at += kTogether * ZG_WIDTH) {
        degree<kTogether>(of, size, x, y, way, bow, at);
    }
    for (; at < frames; at += ZG_WIDTH) {
        degree<1>(of, size, x, y, way, bow, at);
    }
    for (int c = 0; c < size; ++c) {
        for (int at = 0; at < frames; at += ZG_WIDTH) {
            *reinterpret_cast<Loose*>(out[c] + at) = *reinterpret_cast<const Vector*>(y[c] + at);
        }
    }
}

/* A quantum of some channels, from where they come to where they go, or silence. */
ZG_TARGET void pass(const float* const* in, float* const* out, uint32_t from, int channels)
{
    for (int c = 0; c < channels; ++c) {
        float* to = out[c] + from;
        const float* x = in == nullptr ? nullptr : in[c] + from;
        if (x == to) {
            continue;
        }
#pragma GCC unroll 8
        for (int at = 0; at < kGrid; at += ZG_WIDTH) {
            *reinterpret_cast<Loose*>(to + at) = x == nullptr ? Loose {} : *reinterpret_cast<const Loose*>(x + at);
        }
    }
}

/* The matrix of a degree from the one below: see Matrix. */
ZG_TARGET void next(double (*out)[kColumns], const double (*before)[kColumns], int l, const double (*first)[3],
    const Plan& plan)
{
    constexpr int kLanes = ZG_WIDTH / 2;
    constexpr int kParts = kColumns / kLanes;
    for (int row = 0; row < size_of(l); ++row) {
        Doubles sum[kParts];
#pragma GCC unroll 8
        for (int part = 0; part < kParts; ++part) {
            sum[part] = Doubles {};
        }
        double low = 0, high = 0;
        const Row& terms = plan.rows[l][row];
        for (int k = 0; k < terms.count; ++k) {
            const Row::Term& term = terms.terms[k];
            const double* from = before[l - 1 + term.a];
            const double* turn = first[1 + term.i];
            const double share = term.share * turn[1];
#pragma GCC unroll 8
            for (int part = 0; part < kParts; ++part) {
                sum[part] += share * *reinterpret_cast<const Doubles*>(from + kLanes * part);
            }
            const double front = from[kMiddle + 1 - l], back = from[kMiddle + l - 1];
            low += term.share * (turn[2] * front + turn[0] * back);
            high += term.share * (turn[2] * back - turn[0] * front);
        }
#pragma GCC unroll 8
        for (int part = 0; part < kParts; ++part) {
            const Doubles inner = *reinterpret_cast<const Doubles*>(plan.inner[l] + kLanes * part);
            *reinterpret_cast<Doubles*>(out[row] + kLanes * part) = sum[part] * inner;
        }
        out[row][kMiddle - l] = low * plan.outer[l];
        out[row][kMiddle + l] = high * plan.outer[l];
    }
}

/* A quantum's matrices: from where it is, which becomes where it goes. */
ZG_TARGET void steps(Course& course, int count)
{
    constexpr int kLanes = ZG_WIDTH / 2;
    typedef float Half __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
    for (int row = 0; row < count; ++row) {
        for (int at = 0; at < kColumns; at += kLanes) {
            const Doubles to = *reinterpret_cast<const Doubles*>(course.target.entry[row] + at);
            Doubles& here = *reinterpret_cast<Doubles*>(course.now.entry[row] + at);
            Doubles end = to;
            if (course.fades) {
                const Doubles from = *reinterpret_cast<const Doubles*>(course.left.entry[row] + at);
                end = from + course.share * (to - from);
                *reinterpret_cast<Half*>(course.bend[row] + at)
                    = __builtin_convertvector(course.bow * (to - from), Half);
            }
            *reinterpret_cast<Half*>(course.base[row] + at) = __builtin_convertvector(here, Half);
            *reinterpret_cast<Half*>(course.slope[row] + at) = __builtin_convertvector(end - here, Half);
            here = end;
        }
    }
}
