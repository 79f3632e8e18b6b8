// rotate.cpp: rotation of an ambisonic bus (ACN, SN3D or N3D) of order 1 to 7, as a turning head hears it.
//
// The matrix of a degree follows from that of the degree below and the axes of the head (J. Ivanic and K. Ruedenberg,
// "Rotation matrices for real spherical harmonics", J. Phys. Chem. 100, 1996, with the corrections of 102, 1998); it is
// the same for every normalisation that is alike within a degree. In each row all columns but the outermost two are
// sums of at most five rows of the matrix before, so that a new rotation takes some thousand products.
//
// The node acts on the grid of 32 frames counted from reset, without latency. What is asked for when a quantum begins
// is reached at its end, in a straight line from the matrix at its start. Trackers speak on another grid and in steps;
// two one-poles round them, for at order 7 a head that turns fast clicks at -60 dB without. A step of over 5 degrees is a
// fade of 20 ms from matrix to matrix (raised cosine, a parabola a quantum), during which smaller steps go on; whoever
// knows that the head moves says so, and nothing fades: ten turns a second are over 5 degrees a quantum below 23 kHz. No
// rotation passes the bus bit for bit. Channels above the order are silent; another order fades in 20 ms.
#include "node.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__x86_64__) && defined(__GNUC__)
#define ZG_X86
#include <immintrin.h>
#endif

namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr int kMaxOrder = 7;
constexpr int kChannels = (kMaxOrder + 1) * (kMaxOrder + 1);
constexpr int kGrid = 32;       // frames of a quantum
constexpr int kMaxTerms = 5;    // of a row
constexpr double kFade = 0.02;  // seconds
constexpr double kJump = 5;     // degrees
constexpr double kSame = 1e-12; // rotations that differ by less are one
constexpr double kNear = 1e-7;  // a smoothed one that is so near is there

// A row of a matrix: column n is at kMiddle + n, with zeros beside, so that rows of all degrees line up.
constexpr int kColumns = 16;
constexpr int kMiddle = 8;
constexpr int kRows = kChannels - 1; // of degrees 1 to 7, in ACN order

constexpr int size_of(int degree) { return 2 * degree + 1; }

// The first row of a degree; that of the next one is where it ends.
constexpr int row_of(int degree) { return degree * degree - 1; }

enum Param { kYaw, kPitch, kRoll, kQuaternion, kW, kX, kY, kZ, kOrder, kSmooth, kMotion, kParams };

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
    { "smooth", "ms", "How far it lags behind a tracker, whose steps it rounds; 0: each quantum ends where it is told", 0,
        200, 10, 0.1, ZG_SCALE_LINEAR, ZG_PARAM_NUMBER },
    { "motion", "", "The head moves smoothly, however far; off: steps of over 5 degrees fade", 0, 1, 0, 1, ZG_SCALE_LINEAR,
        ZG_PARAM_SWITCH },
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

    // Part of the way to others, which are near.
    Axes toward(const Axes& other, double share) const
    {
        if (is(other, kNear)) {
            return other;
        }
        Axes out;
        for (int i = 0; i < 2; ++i) {
            for (int j = 0; j < 3; ++j) {
                out.row[i][j] = row[i][j] + share * (other.row[i][j] - row[i][j]);
            }
        }
        // Right angles and unit lengths again.
        double *front = out.row[0], *left = out.row[1], *up = out.row[2];
        scale(front, 1 / std::sqrt(dot(front, front)));
        const double along = dot(front, left);
        for (int j = 0; j < 3; ++j) {
            left[j] -= along * front[j];
        }
        scale(left, 1 / std::sqrt(dot(left, left)));
        for (int j = 0; j < 3; ++j) {
            const int a = (j + 1) % 3, b = (j + 2) % 3;
            up[j] = front[a] * left[b] - front[b] * left[a];
        }
        return out;
    }

    static double dot(const double* a, const double* b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

    static void scale(double* a, double by)
    {
        for (int j = 0; j < 3; ++j) {
            a[j] *= by;
        }
    }

    bool is(const Axes& other, double within = kSame) const
    {
        double most = 0;
        for (int i = 0; i < 3; ++i) {
            for (int j = 0; j < 3; ++j) {
                const double far = std::fabs(row[i][j] - other.row[i][j]);
                most = far > most ? far : most;
            }
        }
        return most < within;
    }
};

// An angle in degrees with its sine and cosine, which are kept while it stays.
struct Angle {
    double degrees = 0, sine = 0, cosine = 1;

    void set(double to)
    {
        if (to != degrees) {
            degrees = to;
            sine = std::sin(to * (kPi / 180));
            cosine = std::cos(to * (kPi / 180));
        }
    }
};

Axes from_angles(const Angle& yaw, const Angle& pitch, const Angle& roll)
{
    const double sy = yaw.sine, cy = yaw.cosine;
    const double sp = pitch.sine, cp = pitch.cosine;
    const double sr = roll.sine, cr = roll.cosine;
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
    double inner[kMaxOrder + 1][kColumns] = {}; // 0 where there is no column, or an outermost one
    double outer[kMaxOrder + 1];

    Plan()
    {
        for (int l = 2; l <= kMaxOrder; ++l) {
            outer[l] = 1 / std::sqrt(2.0 * l * (2 * l - 1));
            for (int n = 1 - l; n < l; ++n) {
                inner[l][kMiddle + n] = 1 / std::sqrt(double((l + n) * (l - n)));
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

// What is applied over a quantum: base + t slope + t (1 - t) bend, t from 0 to 1.
struct Blend {
    const float *base, *slope, *bend;
};

// t and t (1 - t) of a quantum's frames; vectors may begin anywhere, and go beyond.
struct Shares {
    float way[2 * kGrid], bow[2 * kGrid];

    constexpr Shares() : way(), bow()
    {
        for (int n = 0; n < 2 * kGrid; ++n) {
            way[n] = static_cast<float>(n) * (1.0f / kGrid);
            bow[n] = way[n] * (1 - way[n]);
        }
    }
};

constexpr Shares kShares;

// The rotation of degrees 1 to 7.
struct Matrix {
    double entry[kRows][kColumns] = {};
};

// From rotation to rotation.
struct Course {
    // At the quantum's end; there without a jump's fade; and from where a jump fades.
    Matrix now, target, left;
    bool fades = false;
    double share = 1, bow = 0; // of the fade
    // What is applied in this quantum.
    float base[kRows][kColumns] = {}, slope[kRows][kColumns] = {}, bend[kRows][kColumns] = {};
};

// The loops for an instruction set.
struct Kernels {
    void (*apply)(const Blend&, int, const float* const*, float* const*, const float*, const float*, int);
    void (*next)(double (*)[kColumns], const double (*)[kColumns], int, const double (*)[3], const Plan&);
    void (*steps)(Course&, int);
    void (*pass)(const float* const*, float* const*, uint32_t, int);
};

namespace anywhere {
#define ZG_WIDTH 4
#define ZG_TARGET
#define ZG_ADD_PRODUCT(sum, a, b) ((sum) + (a) * (b))
#include "rotate_kernel.h"
#undef ZG_WIDTH
#undef ZG_TARGET
#undef ZG_ADD_PRODUCT
}

#ifdef ZG_X86
namespace avx2 {
#define ZG_WIDTH 8
#define ZG_TARGET __attribute__((target("avx2,fma")))
#define ZG_ADD_PRODUCT(sum, a, b) Vector(_mm256_fmadd_ps(a, b, sum))
#include "rotate_kernel.h"
#undef ZG_WIDTH
#undef ZG_TARGET
#undef ZG_ADD_PRODUCT
}

namespace avx512 {
#define ZG_WIDTH 16
#define ZG_TARGET __attribute__((target("avx512f,avx2,fma")))
#define ZG_ADD_PRODUCT(sum, a, b) Vector(_mm512_fmadd_ps(a, b, sum))
#include "rotate_kernel.h"
#undef ZG_WIDTH
#undef ZG_TARGET
#undef ZG_ADD_PRODUCT
}
#endif

Kernels best()
{
#ifdef ZG_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) {
        return { avx512::apply, avx512::next, avx512::steps, avx512::pass };
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return { avx2::apply, avx2::next, avx2::steps, avx2::pass };
    }
#endif
    return { anywhere::apply, anywhere::next, anywhere::steps, anywhere::pass };
}

// The matrices of a rotation, up to an order.
void make(Matrix& matrix, const Axes& axes, int order, const Kernels& kernels)
{
    auto& entry = matrix.entry;
    if (axes.is(Axes())) {
        for (int l = 1; l <= order; ++l) {
            for (int m = -l; m <= l; ++m) {
                double* row = entry[row_of(l) + l + m];
                for (int n = 0; n < kColumns; ++n) {
                    row[n] = n == kMiddle + m ? 1 : 0;
                }
            }
        }
        return;
    }
    // ACN has left, up, front.
    constexpr int kAxis[3] = { 1, 2, 0 };
    double first[3][3];
    for (int i = 0; i < 3; ++i) {
        for (int j = 0; j < 3; ++j) {
            entry[i][kMiddle - 1 + j] = first[i][j] = axes.row[kAxis[i]][kAxis[j]];
        }
    }
    for (int l = 2; l <= order; ++l) {
        kernels.next(entry + row_of(l), entry + row_of(l - 1), l, first, plan());
    }
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
    Kernels kernels = { anywhere::apply, anywhere::next, anywhere::steps, anywhere::pass };
    int length = 30; // quanta of a fade
    bool started = false;
    int position = 0; // frames of the quantum so far

    double rate = 48000;
    Angle yaw, pitch, roll;
    // What was asked for last, but for a jump that waits, and half-way smoothed.
    Axes told, between;
    // Where the rotation is at the quantum's end, without a jump's fade.
    Axes axes;
    Fade jump;
    Course course;
    bool still = true, moves = false, bends = false; // still: no rotation at all
    // The order, and the one that fades in.
    int order = 3, next_order = 3;
    Fade reorder;
    float part[2 * kMaxOrder + 1][kGrid] = {};

    Rotate()
    {
        for (int i = 0; i < kParams; ++i) {
            value[i] = params[i].init;
        }
    }

    void init(double hertz)
    {
        rate = hertz;
        kernels = best();
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

    Axes asked()
    {
        if (value[kQuaternion] >= 0.5) {
            return from_quaternion(value[kW], value[kX], value[kY], value[kZ]);
        }
        yaw.set(value[kYaw]);
        pitch.set(value[kPitch]);
        roll.set(value[kRoll]);
        return from_angles(yaw, pitch, roll);
    }

    // Where two one-poles are on the way to what was told.
    Axes smoothed()
    {
        if (value[kSmooth] < 0.1) {
            between = told;
            return told;
        }
        const double share = 1 - std::exp(-2e3 * kGrid / (rate * value[kSmooth]));
        between = between.toward(told, share);
        return axes.toward(between, share);
    }

    // The higher of two orders, and the rows that it needs.
    int highest() const { return order > next_order ? order : next_order; }
    int needed() const { return row_of(highest() + 1); }

    void remake(const Axes& to)
    {
        axes = to;
        make(course.target, axes, highest(), kernels);
    }

    // A quantum begins: what is applied in it.
    void begin()
    {
        const Axes said = asked();
        const int wanted = static_cast<int>(value[kOrder] + 0.5);
        if (!started) {
            started = true;
            order = next_order = wanted;
            told = between = said;
            remake(said);
            course.now = course.target;
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
        bool jumps = false;
        if (value[kMotion] >= 0.5 || said.cosine_to(told) >= std::cos(kJump * kPi / 180)) {
            told = said;
        } else if (!jump.runs()) {
            // One that comes during another waits for its end.
            jumps = true;
            told = between = said;
        }
        const Axes to = jumps ? told : smoothed();
        const bool moved = !to.is(axes);
        if (!moved && !fresh && !jump.runs()) {
            if (moves || bends) {
                course.now = course.target;
                settle();
            }
            return;
        }
        if (fresh) {
            grow();
        }
        if (jumps) {
            course.left = course.target;
            jump.done = 0;
            jump.length = length;
        }
        if (moved) {
            remake(to);
        }
        course.fades = jump.runs();
        if (course.fades) {
            course.share = jump.end();
            course.bow = jump.bend();
        }
        kernels.steps(course, needed());
        moves = moved || course.fades;
        bends = course.fades;
        still = still && !moves;
    }

    // The matrices of degrees that a higher order brings: their output is still silent, so that they may be anywhere.
    void grow()
    {
        remake(axes);
        for (int row = row_of(order + 1); row < needed(); ++row) {
            for (int n = 0; n < kColumns; ++n) {
                course.now.entry[row][n] = course.left.entry[row][n] = course.target.entry[row][n];
            }
        }
    }

    // Nothing moves.
    void settle()
    {
        moves = bends = false;
        still = axes.is(Axes());
        for (int row = 0; row < needed(); ++row) {
            for (int n = 0; n < kColumns; ++n) {
                course.base[row][n] = static_cast<float>(course.now.entry[row][n]);
            }
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
        const float *way = kShares.way + position, *bow = kShares.bow + position;
        pass(in, out, from, count, 1);
        for (int l = 1; l <= highest(); ++l) {
            const float* const* x = in + l * l;
            float* const* y = out + l * l;
            if (still) {
                pass(x, y, from, count, size_of(l));
            } else {
                turn(l, x, y, from, count, way, bow);
            }
            if (reorder.runs() && (l > order || l > next_order)) {
                fade(l, y, from, count, way, bow);
            }
        }
        const int used = row_of(highest() + 1) + 1;
        pass(nullptr, out + used, from, count, kChannels - used);
    }

    // Some channels as they are, or silence; in and out may be one.
    void pass(const float* const* in, float* const* out, uint32_t from, int count, int channels) const
    {
        if (count == kGrid) {
            kernels.pass(in, out, from, channels);
            return;
        }
        for (int c = 0; c < channels; ++c) {
            for (int n = 0; n < count; ++n) {
                out[c][from + n] = in == nullptr ? 0 : in[c][from + n];
            }
        }
    }

    static void copy(const float* from, float* to, int count)
    {
        for (int n = 0; n < count; ++n) {
            to[n] = from[n];
        }
    }

    void turn(int l, const float* const* in, float* const* out, uint32_t from, int count, const float* way,
        const float* bow)
    {
        const int size = size_of(l);
        const float* x[2 * kMaxOrder + 1];
        float* y[2 * kMaxOrder + 1];
        for (int c = 0; c < size; ++c) {
            x[c] = in[c] + from;
            y[c] = out[c] + from;
            if (count < kGrid) {
                // Vectors go beyond the frames: there is what earlier ones left.
                copy(x[c], part[c], count);
                x[c] = y[c] = part[c];
            }
        }
        const int row = row_of(l), column = kMiddle - l;
        const Blend blend = { course.base[row] + column, moves ? course.slope[row] + column : nullptr,
            bends ? course.bend[row] + column : nullptr };
        kernels.apply(blend, size, x, y, way, bow, count);
        if (count < kGrid) {
            for (int c = 0; c < size; ++c) {
                copy(part[c], out[c] + from, count);
            }
        }
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
