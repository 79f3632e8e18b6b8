// rotate.cpp: rotation of an ambisonic bus (ACN, SN3D or N3D) of order 1 to 7, as a turning head hears it.
//
// The matrix of a degree follows from that of the degree below and the axes of the head (J. Ivanic and K. Ruedenberg,
// "Rotation matrices for real spherical harmonics", J. Phys. Chem. 100, 1996, with the corrections of 102, 1998); it is
// the same for every normalisation that is alike within a degree. In each row all columns but the outermost two are
// sums of at most five rows of the matrix before, so that a new rotation takes some thousand products.
//
// The node acts on the grid of 32 frames counted from reset, without latency. What is asked for when a quantum begins
// is reached at its end, in a straight line from the matrix at its start; a step of over 5 degrees is a fade of 20 ms
// from matrix to matrix (raised cosine, a parabola a quantum), during which smaller steps go on. No rotation passes the
// bus bit for bit. Channels above the order are silent; another order fades in 20 ms.
#include "node.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr int kMaxOrder = 7;
constexpr int kChannels = (kMaxOrder + 1) * (kMaxOrder + 1);
constexpr int kGrid = 32;       // frames of a quantum
constexpr int kMaxTerms = 5;    // of a row
constexpr double kFade = 0.02;  // seconds
constexpr double kJump = 5;     // degrees
constexpr double kSame = 1e-12; // rotations that differ by less are one

// Entries of the matrices of degrees 1 to 7, one after the other, row by row.
constexpr int size_of(int degree) { return 2 * degree + 1; }

constexpr int place_of(int degree)
{
    int place = 0;
    for (int l = 1; l < degree; ++l) {
        place += size_of(l) * size_of(l);
    }
    return place;
}

constexpr int kEntries = place_of(kMaxOrder + 1);

enum Param { kYaw, kPitch, kRoll, kQuaternion, kW, kX, kY, kZ, kOrder, kParams };

const zg_param params[kParams] = {
    { "yaw", "deg", "Positive turns the head left: what is in front moves to the right ear", -360, 360, 0, 0.01,
        ZG_SCALE_LINEAR, ZG_PARAM_NUMBER },
    { "pitch", "deg", "Positive looks up; after yaw", -180, 180, 0, 0.01, ZG_SCALE_LINEAR, ZG_PARAM_NUMBER },
    { "roll", "deg", "Positive puts the right ear down; after pitch", -360, 360, 0, 0.01, ZG_SCALE_LINEAR,
        ZG_PARAM_NUMBER },
    { "quaternion", "", "The head's orientation is the quaternion instead of yaw, pitch and roll", 0, 1, 0, 1,
        ZG_SCALE_LINEAR, ZG_PARAM_SWITCH },
    { "w", "", "The quaternion's real part; of any length but 0", -1, 1, 1, 0, ZG_SCALE_LINEAR, ZG_PARAM_NUMBER },
    { "x", "", "The quaternion's part along the axis to the front (it rolls)", -1, 1, 0, 0, ZG_SCALE_LINEAR,
        ZG_PARAM_NUMBER },
    { "y", "", "Along the axis to the left (positive pitches down)", -1, 1, 0, 0, ZG_SCALE_LINEAR, ZG_PARAM_NUMBER },
    { "z", "", "Along the axis up (positive yaws left)", -1, 1, 0, 0, ZG_SCALE_LINEAR, ZG_PARAM_NUMBER },
    { "order", "", "Channels above it are silent", 1, kMaxOrder, 3, 1, ZG_SCALE_LINEAR, ZG_PARAM_NUMBER },
};

// What the world's front, left and up are to the head: rows are its own front, left and up in the world.
struct Axes {
    double row[3][3] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } };

    // Cosine of the angle of the rotation between.
    double cosine_to(const Axes& other) const
    {
        double trace = 0;
        for (int i = 0; i < 3; ++i) {
            for (int j = 0; j < 3; ++j) {
                trace += row[i][j] * other.row[i][j];
            }
        }
        return 0.5 * (trace - 1);
    }

    bool is(const Axes& other) const
    {
        double most = 0;
        for (int i = 0; i < 3; ++i) {
            for (int j = 0; j < 3; ++j) {
                most = std::fmax(most, std::fabs(row[i][j] - other.row[i][j]));
            }
        }
        return most < kSame;
    }
};

Axes from_angles(double yaw, double pitch, double roll)
{
    const double turn = kPi / 180;
    const double sy = std::sin(yaw * turn), cy = std::cos(yaw * turn);
    const double sp = std::sin(pitch * turn), cp = std::cos(pitch * turn);
    const double sr = std::sin(roll * turn), cr = std::cos(roll * turn);
    return { { { cy * cp, sy * cp, sp }, { -sy * cr - cy * sp * sr, cy * cr - sy * sp * sr, cp * sr },
        { sy * sr - cy * sp * cr, -cy * sr - sy * sp * cr, cp * cr } } };
}

Axes from_quaternion(double w, double x, double y, double z)
{
    const double norm = std::sqrt(w * w + x * x + y * y + z * z);
    if (!(norm > 1e-6)) {
        return {};
    }
    w /= norm, x /= norm, y /= norm, z /= norm;
    return { { { 1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y) },
        { 2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x) },
        { 2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y) } } };
}

// One row of a degree's matrix, times the root in `inner` and `outer`: the sum of share x P(i, a, n) of Ivanic and
// Ruedenberg's table 2.
struct Row {
    struct Term {
        int i, a;
        double share;
    };
    int count = 0;
    Term terms[kMaxTerms];

    void add(int i, int a, double share)
    {
        if (share != 0) {
            terms[count++] = { i, a, share };
        }
    }
};

// What of the recursion does not depend on the rotation.
struct Plan {
    Row rows[kMaxOrder + 1][2 * kMaxOrder + 1];
    double inner[kMaxOrder + 1][2 * kMaxOrder + 1]; // by column
    double outer[kMaxOrder + 1];

    Plan()
    {
        for (int l = 2; l <= kMaxOrder; ++l) {
            outer[l] = 1 / std::sqrt(2.0 * l * (2 * l - 1));
            for (int n = 1 - l; n < l; ++n) {
                inner[l][l + n] = 1 / std::sqrt(double((l + n) * (l - n)));
            }
            for (int m = -l; m <= l; ++m) {
                fill(rows[l][l + m], l, m);
            }
        }
    }

    static void fill(Row& row, int l, int m)
    {
        const int k = std::abs(m);
        row.add(0, m, std::sqrt(double((l + m) * (l - m))));
        const double v = 0.5 * std::sqrt((m == 0 ? 2.0 : 1.0) * (l + k - 1) * (l + k)) * (m == 0 ? -1 : 1);
        const double w = m == 0 ? 0 : -0.5 * std::sqrt(double((l - k - 1) * (l - k)));
        if (m == 0) {
            row.add(1, 1, v);
            row.add(-1, -1, v);
        } else if (m > 0) {
            row.add(1, m - 1, m == 1 ? v * std::sqrt(2.0) : v);
            row.add(-1, 1 - m, m == 1 ? 0 : -v);
            row.add(1, m + 1, w);
            row.add(-1, -m - 1, w);
        } else {
            row.add(1, m + 1, m == -1 ? 0 : v);
            row.add(-1, -m - 1, m == -1 ? v * std::sqrt(2.0) : v);
            row.add(1, m - 1, w);
            row.add(-1, 1 - m, -w);
        }
    }
};

// Made when the first node is: the same for all.
const Plan& plan()
{
    static const Plan made;
    return made;
}

// The rotation of degrees 1 to 7.
struct Matrix {
    double entry[kEntries];

    void make(const Axes& axes, int order, const Plan& plan)
    {
        if (axes.is(Axes())) {
            for (int l = 1; l <= order; ++l) {
                for (int at = 0; at < size_of(l) * size_of(l); ++at) {
                    entry[place_of(l) + at] = at % (size_of(l) + 1) == 0 ? 1 : 0;
                }
            }
            return;
        }
        // ACN has left, up, front.
        constexpr int kAxis[3] = { 1, 2, 0 };
        double first[3][3];
        for (int i = 0; i < 3; ++i) {
            for (int j = 0; j < 3; ++j) {
                entry[3 * i + j] = first[i][j] = axes.row[kAxis[i]][kAxis[j]];
            }
        }
        for (int l = 2; l <= order; ++l) {
            next(l, first, plan);
        }
    }

    void next(int l, const double first[3][3], const Plan& plan)
    {
        const int size = size_of(l), below = size_of(l - 1);
        const double* before = entry + place_of(l - 1);
        for (int row = 0; row < size; ++row) {
            double* out = entry + place_of(l) + row * size;
            double inner[2 * kMaxOrder + 1] = {};
            double low = 0, high = 0;
            const Row& terms = plan.rows[l][row];
            for (int k = 0; k < terms.count; ++k) {
                const Row::Term& term = terms.terms[k];
                const double* from = before + (l - 1 + term.a) * below;
                const double* turn = first[1 + term.i];
                const double share = term.share * turn[1];
                for (int n = 0; n < below; ++n) {
                    inner[n] += share * from[n];
                }
                low += term.share * (turn[2] * from[0] + turn[0] * from[below - 1]);
                high += term.share * (turn[2] * from[below - 1] - turn[0] * from[0]);
            }
            out[0] = low * plan.outer[l];
            for (int n = 0; n < below; ++n) {
                out[n + 1] = inner[n] * plan.inner[l][n + 1];
            }
            out[size - 1] = high * plan.outer[l];
        }
    }
};

// What is applied over a quantum: base + t slope + t (1 - t) bend, t from 0 to 1.
struct Blend {
    const float *base, *slope, *bend;
};

typedef void Kernel(const Blend&, int, const float (*)[kGrid], float (*)[kGrid], const float*, const float*, int);

#define ZG_KERNEL apply_anywhere
#define ZG_WIDTH 4
#define ZG_TARGET
#include "rotate_kernel.h"
#undef ZG_KERNEL
#undef ZG_WIDTH
#undef ZG_TARGET

#if defined(__x86_64__) && defined(__GNUC__)
#define ZG_KERNEL apply_avx2
#define ZG_WIDTH 8
#define ZG_TARGET __attribute__((target("avx2")))
#include "rotate_kernel.h"
#undef ZG_KERNEL
#undef ZG_WIDTH
#undef ZG_TARGET
#define ZG_KERNEL apply_avx512
#define ZG_WIDTH 16
#define ZG_TARGET __attribute__((target("avx512f")))
#include "rotate_kernel.h"
#undef ZG_KERNEL
#undef ZG_WIDTH
#undef ZG_TARGET
#endif

Kernel* best()
{
#if defined(__x86_64__) && defined(__GNUC__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) {
        return apply_avx512;
    }
    if (__builtin_cpu_supports("avx2")) {
        return apply_avx2;
    }
#endif
    return apply_anywhere;
}

// A fade over quanta, as in src/dsp/ambisonics/fade.rs.
struct Fade {
    int done = 0, length = 0; // it runs while done < length

    bool runs() const { return done < length; }
    double gain(int quanta) const { return 0.5 - 0.5 * std::cos(kPi * quanta / length); }
    double slope(int quanta) const { return 0.5 * kPi / length * std::sin(kPi * quanta / length); }
    double start() const { return gain(done); }
    double end() const { return done + 1 == length ? 1 : gain(done + 1); }
    double bend() const { return 0.5 * (slope(done) - slope(done + 1)); }
};

struct Rotate {
    double value[kParams];
    Kernel* kernel = apply_anywhere;
    int length = 30; // quanta of a fade
    bool started = false;
    int position = 0; // frames of the quantum so far

    // Where the rotation is at the quantum's end, and its matrix there, without a jump's fade.
    Axes axes;
    Matrix target;
    // A jump: from this matrix.
    Matrix left;
    Fade jump;
    // The matrix at the quantum's end.
    Matrix now;
    // What is applied in this quantum.
    float base[kEntries], slope[kEntries], bend[kEntries];
    bool still = true, moves = false, bends = false; // still: no rotation at all
    // The order, and the one that fades in.
    int order = 3, next_order = 3;
    Fade reorder;

    Rotate()
    {
        for (int i = 0; i < kParams; ++i) {
            value[i] = params[i].init;
        }
    }

    void init(double rate)
    {
        kernel = best();
        plan();
        length = static_cast<int>(std::ceil(kFade * rate / kGrid));
        reset();
    }

    void reset()
    {
        started = false;
        position = 0;
        jump = reorder = Fade();
    }

    Axes asked() const
    {
        return value[kQuaternion] >= 0.5 ? from_quaternion(value[kW], value[kX], value[kY], value[kZ])
                                         : from_angles(value[kYaw], value[kPitch], value[kRoll]);
    }

    // Entries that are needed: those of the higher of two orders.
    int entries() const { return place_of((order > next_order ? order : next_order) + 1); }

    void remake(const Axes& to)
    {
        axes = to;
        target.make(axes, order > next_order ? order : next_order, plan());
    }

    // A quantum begins: what is applied in it.
    void begin()
    {
        const Axes to = asked();
        const int wanted = static_cast<int>(value[kOrder] + 0.5);
        if (!started) {
            started = true;
            order = next_order = wanted;
            remake(to);
            now = target;
            settle();
            return;
        }
        // Fades of the quantum before.
        if (jump.runs()) {
            jump.done += 1;
        }
        if (reorder.runs() && ++reorder.done == reorder.length) {
            order = next_order;
        }
        bool fresh = false;
        if (!reorder.runs() && wanted != order) {
            next_order = wanted;
            reorder.done = 0;
            reorder.length = length;
            // Degrees that were not needed before; none can be fading, or all are at one matrix.
            fresh = wanted > order;
        }
        const bool moved = !to.is(axes);
        if (!moved && !fresh && !jump.runs()) {
            if (moves || bends) {
                now = target;
                settle();
            }
            return;
        }
        if (fresh) {
            grow();
        }
        if (moved && to.cosine_to(axes) < std::cos(kJump * kPi / 180)) {
            // One that comes during another waits for its end.
            if (!jump.runs()) {
                left = target;
                jump.done = 0;
                jump.length = length;
                remake(to);
            }
        } else if (moved) {
            remake(to);
        }
        const double share = jump.runs() ? jump.end() : 1, bow = jump.runs() ? jump.bend() : 0;
        moves = bends = false;
        for (int at = 0; at < entries(); ++at) {
            const double end
                = jump.runs() ? left.entry[at] + share * (target.entry[at] - left.entry[at]) : target.entry[at];
            base[at] = static_cast<float>(now.entry[at]);
            slope[at] = static_cast<float>(end - now.entry[at]);
            moves |= slope[at] != 0;
            if (jump.runs()) {
                bend[at] = static_cast<float>(bow * (target.entry[at] - left.entry[at]));
            }
            now.entry[at] = end;
        }
        bends = jump.runs();
        still = still && !moves && !bends;
    }

    // The matrices of degrees that a higher order brings: their output is still silent, so that they may be anywhere.
    void grow()
    {
        const int known = place_of(order + 1);
        remake(axes);
        for (int at = known; at < entries(); ++at) {
            now.entry[at] = left.entry[at] = target.entry[at];
        }
    }

    // Nothing moves.
    void settle()
    {
        moves = bends = false;
        still = axes.is(Axes());
        for (int at = 0; at < entries(); ++at) {
            base[at] = static_cast<float>(now.entry[at]);
        }
    }

    void process(const float* const* in, float* const* out, uint32_t frames)
    {
        uint32_t done = 0;
        while (done < frames) {
            if (position == 0) {
                begin();
            }
            const uint32_t rest = kGrid - position;
            const int count = static_cast<int>(frames - done < rest ? frames - done : rest);
            run(in, out, done, count);
            position = (position + count) % kGrid;
            done += count;
        }
    }

    void run(const float* const* in, float* const* out, uint32_t from, int count)
    {
        alignas(64) float way[kGrid] = {}, bow[kGrid] = {};
        if (moves || bends || reorder.runs()) {
            for (int n = 0; n < count; ++n) {
                way[n] = static_cast<float>(position + n) * (1.0f / kGrid);
                bow[n] = way[n] * (1 - way[n]);
            }
        }
        const int highest = order > next_order ? order : next_order;
        if (out[0] != in[0]) {
            std::memmove(out[0] + from, in[0] + from, sizeof(float) * count);
        }
        for (int l = 1; l <= highest; ++l) {
            const float* const* x = in + l * l;
            float* const* y = out + l * l;
            if (still) {
                for (int c = 0; c < size_of(l); ++c) {
                    if (y[c] != x[c]) {
                        std::memmove(y[c] + from, x[c] + from, sizeof(float) * count);
                    }
                }
            } else {
                turn(l, x, y, from, count, way, bow);
            }
            if (reorder.runs() && (l > order || l > next_order)) {
                fade(l, y, from, count, way, bow);
            }
        }
        for (int c = (highest + 1) * (highest + 1); c < kChannels; ++c) {
            std::memset(out[c] + from, 0, sizeof(float) * count);
        }
    }

    void turn(int l, const float* const* in, float* const* out, uint32_t from, int count, const float* way,
        const float* bow) const
    {
        const int size = size_of(l);
        alignas(64) float x[2 * kMaxOrder + 1][kGrid];
        alignas(64) float y[2 * kMaxOrder + 1][kGrid];
        uint32_t any = 0;
        for (int c = 0; c < size; ++c) {
            std::memcpy(x[c], in[c] + from, sizeof(float) * count);
            any |= bits(x[c], count);
        }
        // Zeros of either sign come out as 0, as they would from the matrix.
        if ((any & 0x7FFFFFFF) == 0) {
            for (int c = 0; c < size; ++c) {
                std::memset(out[c] + from, 0, sizeof(float) * count);
            }
            return;
        }
        if (count < kGrid) {
            for (int c = 0; c < size; ++c) {
                std::memset(x[c] + count, 0, sizeof(float) * (kGrid - count));
            }
        }
        const int place = place_of(l);
        kernel({ base + place, moves ? slope + place : nullptr, bends ? bend + place : nullptr }, size, x, y, way, bow,
            count);
        for (int c = 0; c < size; ++c) {
            std::memcpy(out[c] + from, y[c], sizeof(float) * count);
        }
    }

    static uint32_t bits(const float* x, int count)
    {
        uint32_t word[kGrid], any = 0;
        std::memcpy(word, x, sizeof(float) * count);
        if (count == kGrid) {
            for (int n = 0; n < kGrid; ++n) {
                any |= word[n];
            }
            return any;
        }
        for (int n = 0; n < count; ++n) {
            any |= word[n];
        }
        return any;
    }

    // A degree that comes or goes.
    void fade(int l, float* const* out, uint32_t from, int count, const float* way, const float* bow) const
    {
        const bool comes = l <= next_order;
        const double start = comes ? reorder.start() : 1 - reorder.start();
        const double end = comes ? reorder.end() : 1 - reorder.end();
        const float gain = static_cast<float>(start), slope = static_cast<float>(end - start);
        const float bend = static_cast<float>(comes ? reorder.bend() : -reorder.bend());
        for (int c = 0; c < size_of(l); ++c) {
            for (int n = 0; n < count; ++n) {
                out[c][from + n] *= gain + way[n] * slope + bow[n] * bend;
            }
        }
    }
};

Rotate& at(void* node) { return *static_cast<Rotate*>(node); }

void* create()
{
    void* memory = std::malloc(sizeof(Rotate));
    return memory == nullptr ? nullptr : new (memory) Rotate();
}

void destroy(void* node) { std::free(node); }

const char* init(void* node, double rate, uint32_t)
{
    at(node).init(rate);
    return nullptr;
}

void reset(void* node) { at(node).reset(); }

void process(void* node, const float* const* in, float* const* out, uint32_t frames)
{
    at(node).process(in, out, frames);
}

void set_param(void* node, uint32_t index, double value) { at(node).value[index] = value; }

double get_param(void* node, uint32_t index) { return at(node).value[index]; }

const zg_node_descriptor descriptor = {
    ZG_ABI, kChannels, kChannels, 0, "c++",
    "Rotation of an ambisonic bus, order 1 to 7, by the head's yaw, pitch and roll or a quaternion.",
    "bus: ambisonic 7", "bus: ambisonic 7", "", kParams, params,
    create, destroy, init, reset, process, set_param, get_param, nullptr,
};

} // namespace

extern "C" const zg_node_descriptor* zg_node_rotate(void) { return &descriptor; }
