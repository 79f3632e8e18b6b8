// late.cpp: the late part of a room: a feedback delay network of 16 lines on an ambisonic bus.
//
//   sends ─ wait ─ absorb ─ diffuse ─┬─> 16 lines ─ absorb ─┬─ 16 directions ─ bus (ACN, SN3D)
//                                    └──── Hadamard <───────┘
//
// Delays are primes, hence have no common divisor; the Hadamard matrix is orthogonal, so that without absorption
// nothing is lost (Stautner and Puckette 1982; Jot and Chaigne, "Digital delay networks for designing artificial
// reverberators", AES 90, 1991). Each line absorbs in proportion to its own delay, so that all modes of a frequency
// die together: 60 dB in T(f) seconds,
//
//   T(f) = decay / (1 + x^2 / (1 + x^2)),   x = f / 24 kHz,
//
// which is `decay` in every octave up to 4 kHz (0.97 of it there), and 0.9 at 8 kHz: what is told is what is measured,
// and what air takes of a room of some metres is not missed. A filter of first order meets this exactly at 0 Hz, 2.8 and 8 kHz at every rate and delay, in closed form
// (Schlecht and Habets, "Accurate reverberation time control in feedback delay networks", DAFx 2017, say how exact it
// has to be: relative errors in dB are errors of T).
//
// The level follows Barron and Lee ("Energy relations in concert auditoriums", JASA 84, 1988): what a room returns
// of a sound decays as exp(-13.8 t / T) from the direct sound on, and is scaled such that with level 1 all of it,
// the early reflections of node `early` included, has the energy of the direct sound of a source at 1.5 m, whatever
// size and decay. This node is what reflections of the third order and beyond are: it begins where the first two
// orders have lost their share (1.85 mean free paths over the speed of sound, found with an image model; at most
// 0.15 of the decay).
//
// The 16 directions are 8 axes found by minimising the harmonics of degree 2 and 4 that their sum has (Hardin and
// Sloane, "McLaren's improved snub cube", 1996, on spherical designs): both ends of an axis share the harmonics but
// for the sign of odd degrees, which halves the work.
//
// Parameters are read every 32 frames from reset. A new size or decay is a fade of 50 ms between two taps of each
// line, and of the coefficients; one that comes during a fade waits for its end. Level 0 is
// silence, and rest: what was inside is forgotten. So does a network that has been left alone for long enough.
#include "node.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kSound = 343;         // m/s
constexpr double kDecay = 13.815510558; // ln 1e6: 60 dB of energy
constexpr double kFade = 0.05;         // s, of new delays
constexpr double kSwitch = 0.02;       // s, of level and order
constexpr double kCorner = 24000;      // Hz, of T(f)
constexpr double kTop = 8000;          // Hz, where the filters meet it last
// Edges of the room re the longest, as in src/dsp/room: 4 V / S of a longest edge of 1.
constexpr double kFreePath = 4 * 0.36 / 3.22;
constexpr double kOnset = 1.85;        // mean free paths until the first two orders have lost their share
constexpr double kOnsetLimit = 0.15;   // of the decay
// The mean delay: mean free paths, and bounds re the decay and in seconds. Enough modes need lines of some
// length (their number is what the lines hold together); a pass must not lose more than some 5 dB, or the decay has steps.
constexpr double kMeanPaths = 2;
constexpr double kMeanLeast = 0.028, kMeanLeastLimit = 0.05;
constexpr double kMeanMost = 1.0 / 12;
constexpr double kLoudest = 1e10;      // larger inputs are accidents
constexpr double kSilent = 1e-9;       // -180 dB

constexpr int kQuantum = 32;
constexpr int kSends = 4;
constexpr int kLines = 16;
constexpr int kAxes = kLines / 2;
constexpr int kStages = 3; // of diffusion
constexpr float kDiffusion = 0.6f;
constexpr int kOrders = 7;
constexpr int kBus = (kOrders + 1) * (kOrders + 1);
constexpr int kLeastDelay = 37; // frames: a quantum never reads what it writes

enum Param { kLevel, kSize, kDecayTime, kOrder, kParams };

const zg_param params[kParams] = {
    { "level", "", "Share of the room; 0 is exact silence", 0, 1, 1, 0, ZG_SCALE_LINEAR, ZG_PARAM_NUMBER },
    { "size", "m", "Longest edge of the room", 2, 30, 6, 0, ZG_SCALE_LINEAR, ZG_PARAM_NUMBER },
    { "decay", "s", "Time in which low and middle frequencies decay by 60 dB", 0.1, 5, 0.4, 0, ZG_SCALE_LINEAR,
        ZG_PARAM_NUMBER },
    { "order", "", "Ambisonic order of the bus", 1, 7, 3, 1, ZG_SCALE_LINEAR, ZG_PARAM_NUMBER },
};

// Delays re their mean: 0.6 to 1.54 in even ratios, shuffled so that the ends of an axis differ.
constexpr double kShares[kLines] = {
    0.601, 1.000, 1.221, 0.692, 0.797, 1.404, 1.138, 0.638,
    1.538, 0.859, 0.741, 1.311, 0.927, 1.471, 1.069, 0.693,
};
// Delays of the diffusers re the longest.
constexpr double kDiffusers[kSends][kStages] = {
    { 1.000, 0.631, 0.387 }, { 0.937, 0.571, 0.433 }, { 0.871, 0.673, 0.347 }, { 0.971, 0.599, 0.409 },
};
// Which line takes a send with which sign, in bits.
constexpr unsigned kSigns[kSends] = { 0x1a6b, 0x4c3e, 0x2f94, 0x795d };
// Front, left, up.
constexpr double kDirections[kAxes][3] = {
    { -0.60083553, 0.14459312, 0.78618668 }, { -0.46591345, -0.71579623, -0.52015422 },
    { -0.78031474, 0.28984209, -0.55416647 }, { 0.99906069, 0.00193463, -0.04328966 },
    { -0.61721752, -0.69402501, 0.37063704 }, { 0.10171518, -0.81035015, 0.57704996 },
    { 0.1180972, 0.02826792, 0.9925996 }, { -0.43510012, 0.86158253, 0.261464 },
};

double raised_cosine(double x)
{
    return x <= 0 ? 0 : x >= 1 ? 1 : 0.5 - 0.5 * std::cos(kPi * x);
}

// Harmonics of a direction, ACN and SN3D; the recurrences are those of src/dsp/ambisonics.
void harmonics(const double direction[3], float gains[kBus])
{
    const double length = std::sqrt(direction[0] * direction[0] + direction[1] * direction[1]
        + direction[2] * direction[2]);
    const double x = direction[0] / length, y = direction[1] / length, z = direction[2] / length;
    double c = 1, s = 0, norm = 1; // c + i s = (x + i y)^m
    for (int m = 0; m <= kOrders; ++m) {
        if (m > 0) {
            const double turned = c * x - s * y;
            s = s * x + c * y;
            c = turned;
            norm *= m == 1 ? 1 : std::sqrt((2.0 * m - 1) / (2.0 * m));
        }
        double before = 0, now = norm;
        for (int l = m; l <= kOrders; ++l) {
            const int acn = l * (l + 1);
            gains[acn + m] = static_cast<float>(now * c);
            if (m > 0) {
                gains[acn - m] = static_cast<float>(now * s);
            }
            const double next = ((2 * l + 1) * z * now - std::sqrt(1.0 * l * l - m * m) * before)
                / std::sqrt((l + 1.0) * (l + 1) - m * m);
            before = now;
            now = next;
        }
    }
}

bool is_prime(int n)
{
    if (n < 4) {
        return n > 1;
    }
    if (n % 2 == 0 || n % 3 == 0) {
        return false;
    }
    for (int d = 5; d * d <= n; d += 6) {
        if (n % d == 0 || n % (d + 2) == 0) {
            return false;
        }
    }
    return true;
}

// A filter of first order: y = b0 x + s, s = b1 x + a1 y.
struct Shelf {
    float b0 = 1, b1 = 0, a1 = 0;
};

// What a way of `time` seconds takes, at a rate, with a decay.
Shelf absorption(double time, double decay, double rate)
{
    const double loss = kDecay * time / decay; // nepers of energy in the middle
    const double gain = std::exp(-0.5 * loss);
    Shelf shelf;
    shelf.b0 = static_cast<float>(gain);
    if (loss < 1e-6) {
        return shelf;
    }
    // |H|^2 = gain^2 (1 + beta u) / (1 + alpha u) with u = sin^2(w / 2): linear in alpha and beta.
    const double high = std::fmin(kTop, 0.4 * rate), low = high / 2.83;
    const auto power = [&](double hertz) {
        const double x = (hertz / kCorner) * (hertz / kCorner);
        return std::exp(-loss * x / (1 + x));
    };
    const auto place = [&](double hertz) {
        const double sine = std::sin(kPi * hertz / rate);
        return sine * sine;
    };
    const double u1 = place(low), u2 = place(high), m1 = power(low), m2 = power(high);
    const double alpha = std::fmax(-0.99, ((m1 - 1) / u1 - (m2 - 1) / u2) / (m2 - m1));
    const double beta = std::fmax(-0.9999, (m1 - 1) / u1 + m1 * alpha);
    const double p = std::sqrt(1 + alpha), q = std::sqrt(1 + beta);
    const double pole = (p - 1) / (p + 1), zero = (q - 1) / (q + 1);
    const double scale = gain * (1 - pole) / (1 - zero);
    shelf.b0 = static_cast<float>(scale);
    shelf.b1 = static_cast<float>(-scale * zero);
    shelf.a1 = static_cast<float>(pole);
    return shelf;
}

// What size and decay come to.
struct Design {
    int lines[kLines];
    int diffusers[kSends][kStages];
    int wait;
    Shelf absorb[kLines];
    Shelf send;
    double gain;

    void make(double size, double decay, double rate)
    {
        const double path = kFreePath * size / kSound;
        const double least = std::fmin(kMeanLeast * decay, kMeanLeastLimit);
        const double mean = std::fmin(std::fmax(kMeanPaths * path, least), kMeanMost * decay);
        double sum = 0;
        for (int i = 0; i < kLines; ++i) {
            int frames = static_cast<int>(std::fmax(kLeastDelay, std::floor(mean * kShares[i] * rate)));
            for (bool taken = true; taken; frames += taken ? 1 : 0) {
                taken = !is_prime(frames);
                for (int k = 0; k < i; ++k) {
                    taken = taken || lines[k] == frames;
                }
            }
            lines[i] = frames;
            sum += frames;
            absorb[i] = absorption(frames / rate, decay, rate);
        }
        // Diffusers ring, and must do so for less long than the room.
        const double longest = std::fmin(0.2 * mean, 0.012 * decay);
        double diffused = 0;
        for (int j = 0; j < kSends; ++j) {
            for (int k = 0; k < kStages; ++k) {
                diffusers[j][k] = static_cast<int>(std::fmax(1, std::floor(longest * kDiffusers[j][k] * rate)));
                diffused += diffusers[j][k] / rate / kSends;
            }
        }
        const double held = sum / kLines / rate;
        const double onset = std::fmin(kOnset * path, kOnsetLimit * decay);
        const double waits = std::fmax(0, onset - 0.5 * held - diffused);
        wait = static_cast<int>(std::floor(waits * rate));
        send = absorption(wait / rate + diffused, decay, rate);
        gain = std::sqrt(kDecay * held / decay);
    }
};

// A delay line. It knows how much it has heard, so that forgetting is free.
struct Ring {
    float* frames = nullptr;
    uint32_t mask = 0;

    bool allocate(double longest)
    {
        uint32_t size = 64;
        while (size < longest + 2 * kQuantum) {
            size *= 2;
        }
        std::free(frames);
        frames = static_cast<float*>(std::malloc(size * sizeof(float)));
        mask = size - 1;
        return frames != nullptr;
    }
};

// A value that goes to its target in a raised cosine; one that has set out arrives first.
struct Ramp {
    double from = 0, to = 0, value = 0;
    uint32_t done = 0, length = 0;

    void jump(double target)
    {
        from = to = value = target;
        done = length = 0;
    }

    void travel(double target, uint32_t frames)
    {
        from = value;
        to = target;
        done = 0;
        length = frames;
    }

    bool still() const { return done == length; }

    double step()
    {
        if (done < length) {
            done += 1;
            value = done == length ? to : from + (to - from) * raised_cosine(static_cast<double>(done) / length);
        }
        return value;
    }
};

struct Late {
    double rate = 48000;
    double level = 1, size = 6, decay = 0.4; // as set
    int order = 3;

    Design now = {}, next = {};
    double made_size = 0, made_decay = 0;
    Ramp fade; // 0 to 1 from `now` to `next`
    Ramp loud, open, degrees; // level; the input after a rest; 0 to 1 from one order to the other
    int order_from = 3, order_to = 3;
    bool fresh = true;     // nothing has been processed since reset
    bool resting = true;   // nothing is inside
    uint32_t position = 0; // of the quantum
    uint32_t age = 0;      // frames that the rings have heard, up to where it does not matter
    uint32_t write = 0;    // where the rings are written
    uint32_t longest = 0;  // frames that anything stays in a ring
    uint32_t quiet = 0;    // frames of silence so far
    bool heard = false, sounding = false; // in this quantum: at the sends, in the network

    Ring waits[kSends], diffusers[kSends][kStages], lines[kLines];
    // Filters as they glide, and their states.
    Shelf send = {}, send_from = {};
    float b0[kLines], b1[kLines], a1[kLines];
    float b0_from[kLines], b1_from[kLines], a1_from[kLines];
    float send_state[kSends], state[kLines];
    double gain = 0, gain_from = 0;
    float inject[kSends][kLines];
    float encode[kBus][kAxes];

    Late()
    {
        for (int j = 0; j < kSends; ++j) {
            for (int i = 0; i < kLines; ++i) {
                inject[j][i] = (kSigns[j] >> i & 1) != 0 ? 0.25f : -0.25f;
            }
        }
        for (int axis = 0; axis < kAxes; ++axis) {
            float gains[kBus];
            harmonics(kDirections[axis], gains);
            for (int c = 0; c < kBus; ++c) {
                encode[c][axis] = gains[c];
            }
        }
    }

    ~Late()
    {
        for (int j = 0; j < kSends; ++j) {
            std::free(waits[j].frames);
            for (Ring& ring : diffusers[j]) {
                std::free(ring.frames);
            }
        }
        for (Ring& ring : lines) {
            std::free(ring.frames);
        }
    }

    const char* prepare(double hertz)
    {
        rate = hertz;
        // The longest of each there can be: of the largest room, with a decay that asks for no more.
        const double path = kFreePath * 30 / kSound;
        const double mean = std::fmax(kMeanPaths * path, kMeanLeastLimit);
        bool enough = true;
        for (int j = 0; j < kSends; ++j) {
            enough = enough && waits[j].allocate(kOnset * path * rate);
            for (Ring& ring : diffusers[j]) {
                enough = enough && ring.allocate(0.2 * mean * rate);
            }
        }
        // Primes are never further apart than this at such lengths.
        const double most = 1.54 * mean * rate + 1000;
        for (Ring& ring : lines) {
            enough = enough && ring.allocate(most);
        }
        longest = static_cast<uint32_t>(most) + lines[0].mask + 1;
        made_size = 0;
        restart();
        return enough ? nullptr : "there is not enough memory for its delay lines";
    }

    void rest()
    {
        resting = true;
        age = 0;
        quiet = 0;
        std::memset(send_state, 0, sizeof send_state);
        std::memset(state, 0, sizeof state);
    }

    void restart()
    {
        rest();
        position = 0;
        write = 0;
        fresh = true;
        heard = sounding = false;
        loud.jump(level);
        open.jump(1);
        degrees.jump(1);
        order_from = order_to = order;
        adopt();
    }

    // What is asked for, at once.
    void adopt()
    {
        if (made_size != size || made_decay != decay) {
            next.make(size, decay, rate);
            made_size = size;
            made_decay = decay;
        }
        arrive();
    }

    void arrive()
    {
        now = next;
        fade.jump(0);
        send = now.send;
        gain = now.gain;
        for (int i = 0; i < kLines; ++i) {
            b0[i] = now.absorb[i].b0;
            b1[i] = now.absorb[i].b1;
            a1[i] = now.absorb[i].a1;
        }
    }

    void set_out()
    {
        next.make(size, decay, rate);
        made_size = size;
        made_decay = decay;
        const uint32_t frames = quanta(kFade);
        fade.jump(0);
        fade.travel(1, frames);
        gain_from = gain;
        send_from = send;
        std::memcpy(b0_from, b0, sizeof b0);
        std::memcpy(b1_from, b1, sizeof b1);
        std::memcpy(a1_from, a1, sizeof a1);
    }

    bool fading() const { return fade.to > 0; }

    // At least so many seconds in frames: whole quanta, so that what fades begins and ends on the grid.
    uint32_t quanta(double seconds) const
    {
        return kQuantum * static_cast<uint32_t>(std::ceil(seconds * rate / kQuantum));
    }

    // The start of a quantum: what has been set since the last one.
    void turn()
    {
        const uint32_t frames = quanta(kSwitch);
        if (resting) {
            const bool wakes = loud.to == 0 && level > 0 && !fresh;
            adopt();
            order_from = order_to = order;
            degrees.jump(1);
            if (wakes) {
                // The signal may be in the middle of a wave: it fades in before it is heard.
                loud.jump(0);
                loud.travel(level, frames);
                open.jump(0);
                open.travel(1, frames);
            } else if (loud.still()) {
                loud.jump(level);
            }
            fresh = false;
            return;
        }
        if (!fading() && (made_size != size || made_decay != decay)) {
            set_out();
        }
        if (loud.still() && loud.to != level) {
            loud.travel(level, frames);
        }
        if (degrees.still() && order_to != order) {
            order_from = order_to;
            order_to = order;
            degrees.jump(0);
            degrees.travel(1, frames);
        }
    }

    // The end of a quantum: whether anything is left.
    void settle()
    {
        if (resting) {
            return;
        }
        quiet = heard || sounding ? 0 : quiet + kQuantum;
        const bool off = loud.still() && loud.to == 0;
        if (off || quiet > longest) {
            rest();
            open.jump(1);
        }
        heard = sounding = false;
    }

    // A frame `delay` ago, n frames after the start of the chunk; what was never heard is silence.
    float tap(const Ring& ring, uint32_t n, int delay) const
    {
        return age + n < static_cast<uint32_t>(delay) ? 0.0f
                                                      : ring.frames[(write + n - static_cast<uint32_t>(delay)) & ring.mask];
    }

    void read(const Ring& ring, int delay, uint32_t count, float* out, int stride) const
    {
        const uint32_t from = write - static_cast<uint32_t>(delay);
        if (age >= static_cast<uint32_t>(delay)) {
            for (uint32_t n = 0; n < count; ++n) {
                out[n * stride] = ring.frames[(from + n) & ring.mask];
            }
        } else {
            for (uint32_t n = 0; n < count; ++n) {
                out[n * stride] = tap(ring, n, delay);
            }
        }
    }

    // Sends, waited, absorbed and diffused, in place.
    void prepare_sends(float x[kSends][kQuantum], const float* way, uint32_t count)
    {
        const bool fades = fading();
        for (int j = 0; j < kSends; ++j) {
            Shelf shelf = send;
            for (uint32_t n = 0; n < count; ++n) {
                Ring& ring = waits[j];
                ring.frames[(write + n) & ring.mask] = x[j][n];
                float value = tap(ring, n, now.wait);
                if (fades) {
                    value += way[n] * (tap(ring, n, next.wait) - value);
                    shelf.b0 = send_from.b0 + way[n] * (next.send.b0 - send_from.b0);
                    shelf.b1 = send_from.b1 + way[n] * (next.send.b1 - send_from.b1);
                    shelf.a1 = send_from.a1 + way[n] * (next.send.a1 - send_from.a1);
                }
                const float y = shelf.b0 * value + send_state[j];
                send_state[j] = shelf.b1 * value + shelf.a1 * y;
                x[j][n] = y;
            }
            for (int k = 0; k < kStages; ++k) {
                Ring& ring = diffusers[j][k];
                const int before = now.diffusers[j][k], after = next.diffusers[j][k];
                for (uint32_t n = 0; n < count; ++n) {
                    float value = tap(ring, n, before);
                    if (fades) {
                        value += way[n] * (tap(ring, n, after) - value);
                    }
                    const float inner = x[j][n] + kDiffusion * value;
                    ring.frames[(write + n) & ring.mask] = inner;
                    x[j][n] = value - kDiffusion * inner;
                }
            }
            if (fades && j == kSends - 1) {
                send = shelf;
            }
        }
    }

    // The lines: `x` in, their ends into `ends`.
    void circulate(const float x[kSends][kQuantum], float ends[kQuantum][kLines], const float* way, uint32_t count)
    {
        const bool fades = fading();
        for (int i = 0; i < kLines; ++i) {
            read(lines[i], now.lines[i], count, ends[0] + i, kLines);
            if (fades && now.lines[i] != next.lines[i]) {
                float after[kQuantum];
                read(lines[i], next.lines[i], count, after, 1);
                for (uint32_t n = 0; n < count; ++n) {
                    ends[n][i] += way[n] * (after[n] - ends[n][i]);
                }
            }
        }
        for (uint32_t n = 0; n < count; ++n) {
            float* line = ends[n];
            if (fades) {
                for (int i = 0; i < kLines; ++i) {
                    b0[i] = b0_from[i] + way[n] * (next.absorb[i].b0 - b0_from[i]);
                    b1[i] = b1_from[i] + way[n] * (next.absorb[i].b1 - b1_from[i]);
                    a1[i] = a1_from[i] + way[n] * (next.absorb[i].a1 - a1_from[i]);
                }
            }
            for (int i = 0; i < kLines; ++i) {
                const float y = b0[i] * line[i] + state[i];
                state[i] = b1[i] * line[i] + a1[i] * y;
                line[i] = y;
            }
            // Hadamard's matrix of 16 as that of 4 by rows and by columns; which line is which afterwards does
            // not matter.
            float turned[kLines], mixed[kLines];
            for (int k = 0; k < 4; ++k) {
                const float s = line[k] + line[4 + k], d = line[k] - line[4 + k];
                const float t = line[8 + k] + line[12 + k], e = line[8 + k] - line[12 + k];
                turned[4 * k] = s + t;
                turned[4 * k + 1] = d + e;
                turned[4 * k + 2] = s - t;
                turned[4 * k + 3] = d - e;
            }
            for (int k = 0; k < 4; ++k) {
                const float s = turned[k] + turned[4 + k], d = turned[k] - turned[4 + k];
                const float t = turned[8 + k] + turned[12 + k], e = turned[8 + k] - turned[12 + k];
                mixed[k] = 0.25f * (s + t);
                mixed[4 + k] = 0.25f * (d + e);
                mixed[8 + k] = 0.25f * (s - t);
                mixed[12 + k] = 0.25f * (d - e);
            }
            for (int i = 0; i < kLines; ++i) {
                mixed[i] += inject[0][i] * x[0][n] + inject[1][i] * x[1][n] + inject[2][i] * x[2][n]
                    + inject[3][i] * x[3][n];
            }
            const uint32_t at = (write + n) & lines[0].mask;
            for (int i = 0; i < kLines; ++i) {
                lines[i].frames[at] = mixed[i];
            }
            if (!heard) {
                // Only once the sends are silent: that is when it matters.
                for (int i = 0; i < kLines; ++i) {
                    sounding = sounding || std::fabs(mixed[i]) > kSilent;
                }
            }
        }
    }

    // One channel: the axes with its gains. A fixed count lets the compiler use vectors; the bits are the same.
    template <uint32_t kFixed>
    static void sum_axes(const float* gains, const float axes[kAxes][kQuantum], const float* level, float* out,
        uint32_t count)
    {
        const uint32_t frames = kFixed > 0 ? kFixed : count;
        float sum[kQuantum];
        for (uint32_t n = 0; n < frames; ++n) {
            sum[n] = gains[0] * axes[0][n];
        }
        for (int k = 1; k < kAxes; ++k) {
            for (uint32_t n = 0; n < frames; ++n) {
                sum[n] += gains[k] * axes[k][n];
            }
        }
        for (uint32_t n = 0; n < frames; ++n) {
            out[n] = sum[n] * level[n];
        }
    }

    void put(const float ends[kQuantum][kLines], const float* way, float* const* out, uint32_t from, uint32_t count)
    {
        // By parity of the degree; levels of degrees that stay, come and go.
        float axes[2][kAxes][kQuantum], levels[3][kQuantum];
        for (uint32_t n = 0; n < count; ++n) {
            for (int k = 0; k < kAxes; ++k) {
                axes[0][k][n] = ends[n][2 * k] + ends[n][2 * k + 1];
                axes[1][k][n] = ends[n][2 * k] - ends[n][2 * k + 1];
            }
            const double at = fading() ? gain_from + way[n] * (next.gain - gain_from) : gain;
            const double value = at * loud.step(), share = degrees.step();
            levels[0][n] = static_cast<float>(value);
            levels[1][n] = static_cast<float>(value * share);
            levels[2][n] = static_cast<float>(value * (1 - share));
        }
        for (int l = 0; l <= kOrders; ++l) {
            const bool before = l <= order_from, after = l <= order_to;
            const float* shares = levels[before == after ? 0 : after ? 1 : 2];
            for (int c = l * l; c < (l + 1) * (l + 1); ++c) {
                float* signal = out[c] + from;
                if (!before && !after) {
                    std::memset(signal, 0, count * sizeof(float));
                } else if (count == kQuantum) {
                    sum_axes<kQuantum>(encode[c], axes[l % 2], shares, signal, count);
                } else {
                    sum_axes<0>(encode[c], axes[l % 2], shares, signal, count);
                }
            }
        }
    }

    void run(const float* const* in, float* const* out, uint32_t from, uint32_t count)
    {
        // Outputs may be the inputs: what comes in is read first.
        float x[kSends][kQuantum];
        bool silent = true;
        for (int j = 0; j < kSends; ++j) {
            for (uint32_t n = 0; n < count; ++n) {
                const float value = in[j][from + n];
                x[j][n] = std::fabs(value) < kLoudest ? value : 0.0f;
                silent = silent && x[j][n] == 0;
            }
        }
        const bool off = loud.still() && loud.to == 0;
        if (off || (resting && silent)) {
            // A ramp that nothing is heard of goes on all the same.
            for (uint32_t n = 0; n < count && !loud.still(); ++n) {
                loud.step();
                open.step();
            }
            for (int c = 0; c < kBus; ++c) {
                std::memset(out[c] + from, 0, count * sizeof(float));
            }
            return;
        }
        resting = false;
        heard = heard || !silent;
        if (!open.still()) {
            for (uint32_t n = 0; n < count; ++n) {
                const auto share = static_cast<float>(open.step());
                for (auto& send : x) {
                    send[n] *= share;
                }
            }
        }
        float way[kQuantum], ends[kQuantum][kLines];
        if (fading()) {
            for (uint32_t n = 0; n < count; ++n) {
                way[n] = static_cast<float>(fade.step());
            }
        }
        prepare_sends(x, way, count);
        circulate(x, ends, way, count);
        put(ends, way, out, from, count);
        write += count;
        age = age + count < 0x40000000 ? age + count : age;
    }

    void process(const float* const* in, float* const* out, uint32_t frames)
    {
        for (uint32_t done = 0; done < frames;) {
            if (position == 0) {
                if (fading() && fade.still()) {
                    arrive();
                }
                turn();
            }
            const uint32_t left = frames - done, room = kQuantum - position;
            const uint32_t count = left < room ? left : room;
            run(in, out, done, count);
            done += count;
            position += count;
            if (position == kQuantum) {
                position = 0;
                settle();
            }
        }
    }

    void set(uint32_t index, double value)
    {
        switch (index) {
        case kLevel:
            level = value;
            break;
        case kSize:
            size = value;
            break;
        case kDecayTime:
            decay = value;
            break;
        case kOrder:
            order = static_cast<int>(std::floor(value + 0.5));
            break;
        }
    }

    double get(uint32_t index) const
    {
        switch (index) {
        case kLevel:
            return level;
        case kSize:
            return size;
        case kDecayTime:
            return decay;
        default:
            return order;
        }
    }
};

Late& at(void* node) { return *static_cast<Late*>(node); }

void* create()
{
    void* memory = std::malloc(sizeof(Late));
    return memory == nullptr ? nullptr : new (memory) Late();
}

void destroy(void* node)
{
    at(node).~Late();
    std::free(node);
}

const char* init(void* node, double rate, uint32_t) { return at(node).prepare(rate); }

void reset(void* node) { at(node).restart(); }

void process(void* node, const float* const* in, float* const* out, uint32_t frames)
{
    at(node).process(in, out, frames);
}

void set_param(void* node, uint32_t index, double value) { at(node).set(index, value); }

double get_param(void* node, uint32_t index) { return at(node).get(index); }

const zg_node_descriptor descriptor = {
    ZG_ABI, kSends, kBus, 0, "c++",
    "Late reverberation of a room: a feedback delay network of 16 lines around the listener.",
    "late: 4", "bus: ambisonic 7", "", kParams, params,
    create, destroy, init, reset, process, set_param, get_param, nullptr,
};

} // namespace

extern "C" const zg_node_descriptor* zg_node_late(void) { return &descriptor; }
