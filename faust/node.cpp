// node.cpp: the Faust architecture that exports the node ABI (cpp/node.h) from any .dsp.
//
// Sliders, number entries, buttons and checkboxes become parameters, bargraphs become readouts, with
// unit, scale and help from their [unit:..] [scale:..] [tooltip:..] metadata. "declare description",
// "input_groups", "output_groups", "phases" and "latency" describe the node. Number entries with [zg:phase],
// [zg:increment], [zg:sweep], [zg:epoch] and the same label up to a dot carry a phase (zeitgeber.lib reads
// them); [zg:rate] carries the sample rate, which ma.SR clamps at 192 kHz. [midi:..] and [osc:..] are handed on as
// further lines of the help.
//
// The code is generated with -double and FAUSTFLOAT double: parameters and the inner signals are double;
// float32 in and out is converted here. Generated frame by frame (-os of Faust 2.54), what depends on parameters
// alone is computed when one changes; otherwise (other versions, nodes that users bring) for every chunk.

#define FAUSTFLOAT double

#include "node.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <math.h> // with <cmath> and <cstdint>, what generated code includes again inside the namespace
#include <new>

using std::max;
using std::min;

namespace {

constexpr uint32_t kMaxParams = 256;
constexpr uint32_t kMaxPhases = 16;
constexpr uint32_t kMaxChannels = 64;
constexpr int kChunk = 32;
constexpr uint32_t kMaxMovers = 256;
constexpr size_t kHelpBytes = 16384; // of all parameters that anything moves from outside

struct Meta {
    const char *description = "", *inputs = "", *outputs = "", *phases = "", *latency = "0";
    void declare(const char* key, const char* value)
    {
        const struct {
            const char* name;
            const char** slot;
        } known[] = { { "description", &description }, { "input_groups", &inputs },
            { "output_groups", &outputs }, { "phases", &phases }, { "latency", &latency } };
        for (const auto& entry : known) {
            if (std::strcmp(key, entry.name) == 0) {
                *entry.slot = value;
            }
        }
    }
};

struct Phase {
    const char* label = nullptr; // the name is what stands before the first dot
    size_t name_length = 0;
    double *phase = nullptr, *increment = nullptr, *sweep = nullptr, *epoch = nullptr;
};

// What moves a parameter from outside: "midi" and "ctrl 7".
struct Mover {
    uint32_t param;
    const char *key, *value;
};

// Walks the user interface of one instance and notes where its values live.
struct UI {
    zg_param params[kMaxParams];
    double* zones[kMaxParams];
    uint32_t count = 0;
    Phase phases[kMaxPhases];
    uint32_t phase_count = 0;
    double* rate[4];
    uint32_t rate_count = 0;
    Mover movers[kMaxMovers];
    uint32_t mover_count = 0;
    bool too_many = false;

    // Metadata of the widget that comes next.
    const char *unit = "", *help = "", *role = "";
    uint32_t scale = ZG_SCALE_LINEAR;

    void openTabBox(const char*) {}
    void openHorizontalBox(const char*) {}
    void openVerticalBox(const char*) {}
    void closeBox() {}

    void declare(double* zone, const char* key, const char* value)
    {
        if (zone == nullptr) {
            return; // of a group
        }
        if (std::strcmp(key, "unit") == 0) {
            unit = value;
        } else if (std::strcmp(key, "tooltip") == 0) {
            help = value;
        } else if (std::strcmp(key, "zg") == 0) {
            role = value;
        } else if (std::strcmp(key, "scale") == 0) {
            scale = std::strcmp(value, "log") == 0 ? ZG_SCALE_LOG
                : std::strcmp(value, "exp") == 0   ? ZG_SCALE_EXP
                                                   : ZG_SCALE_LINEAR;
        } else if ((std::strcmp(key, "midi") == 0 || std::strcmp(key, "osc") == 0)
            && mover_count < kMaxMovers) {
            movers[mover_count++] = { count, key, value };
        }
    }

    // What has been declared for a widget that is no parameter moves nothing.
    void drop_movers()
    {
        while (mover_count > 0 && movers[mover_count - 1].param == count) {
            --mover_count;
        }
    }

    void add(const char* label, double* zone, double init, double low, double high, double step,
        uint32_t kind)
    {
        if (*role != 0 || count >= kMaxParams) {
            drop_movers();
        }
        if (*role != 0 && std::strcmp(role, "rate") == 0) {
            if (rate_count < 4) {
                rate[rate_count++] = zone;
            } else {
                too_many = true;
            }
        } else if (*role != 0) {
            const size_t length = std::strcspn(label, ".");
            Phase* found = nullptr;
            for (uint32_t i = 0; i < phase_count; ++i) {
                if (phases[i].name_length == length
                    && std::strncmp(phases[i].label, label, length) == 0) {
                    found = &phases[i];
                }
            }
            if (found == nullptr && phase_count < kMaxPhases) {
                found = &phases[phase_count++];
                found->label = label;
                found->name_length = length;
            }
            if (found == nullptr) {
                too_many = true;
            } else if (std::strcmp(role, "phase") == 0) {
                found->phase = zone;
            } else if (std::strcmp(role, "increment") == 0) {
                found->increment = zone;
            } else if (std::strcmp(role, "sweep") == 0) {
                found->sweep = zone;
            } else if (std::strcmp(role, "epoch") == 0) {
                found->epoch = zone;
            }
        } else if (count < kMaxParams) {
            params[count] = { label, unit, help, low, high, init, step, scale, kind };
            zones[count++] = zone;
        } else {
            too_many = true;
        }
        unit = help = role = "";
        scale = ZG_SCALE_LINEAR;
    }

    void addButton(const char* label, double* zone) { add(label, zone, 0, 0, 1, 1, ZG_PARAM_BUTTON); }
    void addCheckButton(const char* label, double* zone)
    {
        add(label, zone, 0, 0, 1, 1, ZG_PARAM_SWITCH);
    }
    void addVerticalSlider(const char* label, double* zone, double init, double low, double high,
        double step)
    {
        add(label, zone, init, low, high, step, ZG_PARAM_NUMBER);
    }
    void addHorizontalSlider(const char* label, double* zone, double init, double low, double high,
        double step)
    {
        add(label, zone, init, low, high, step, ZG_PARAM_NUMBER);
    }
    void addNumEntry(const char* label, double* zone, double init, double low, double high, double step)
    {
        add(label, zone, init, low, high, step, ZG_PARAM_NUMBER);
    }
    void addHorizontalBargraph(const char* label, double* zone, double low, double high)
    {
        add(label, zone, low, low, high, 0, ZG_PARAM_READOUT);
    }
    void addVerticalBargraph(const char* label, double* zone, double low, double high)
    {
        add(label, zone, low, low, high, 0, ZG_PARAM_READOUT);
    }
};

struct dsp {};

// What code that is generated frame by frame is derived from; its arrays are the node's.
struct one_sample_dsp {
    one_sample_dsp() = default;
    one_sample_dsp(int*, double*) {}
};

<<includeIntrinsic>>

<<includeclass>>

struct Node {
    <<structName>> faust;
    UI ui;
    double epoch = 0;
    // Of code that is generated frame by frame: what it computes of its parameters, and whether that is due.
    int* whole = nullptr;
    double* real = nullptr;
    bool stale = true;
};

// Code that is generated frame by frame has one more pair of arguments; the first of these that fits is taken.
template <typename Dsp>
auto controls(Dsp& dsp, int) -> decltype(dsp.getNumIntControls(), size_t())
{
    return static_cast<size_t>(dsp.getNumIntControls());
}
template <typename Dsp> size_t controls(Dsp&, long) { return 0; }

template <typename Dsp>
auto real_controls(Dsp& dsp, int) -> decltype(dsp.getNumRealControls(), size_t())
{
    return static_cast<size_t>(dsp.getNumRealControls());
}
template <typename Dsp> size_t real_controls(Dsp&, long) { return 0; }

void destroy(void* self)
{
    Node* node = static_cast<Node*>(self);
    std::free(node->whole);
    std::free(node->real);
    std::free(node);
}

void* create()
{
    void* memory = std::calloc(1, sizeof(Node));
    if (memory == nullptr) {
        return nullptr;
    }
    Node* node = new (memory) Node();
    // At least one of each, so that none is a null pointer.
    node->whole = static_cast<int*>(std::calloc(controls(node->faust, 0) + 1, sizeof(int)));
    node->real = static_cast<double*>(std::calloc(real_controls(node->faust, 0) + 1, sizeof(double)));
    if (node->whole == nullptr || node->real == nullptr) {
        destroy(node);
        return nullptr;
    }
    node->faust.instanceResetUserInterface();
    node->faust.buildUserInterface(&node->ui);
    return node;
}

const char* init(void* self, double rate, uint32_t)
{
    Node* node = static_cast<Node*>(self);
    if (node->ui.too_many) {
        return "it has more than 256 parameters, 16 phases or 4 rates";
    }
    if (node->faust.getNumInputs() > static_cast<int>(kMaxChannels)
        || node->faust.getNumOutputs() > static_cast<int>(kMaxChannels)) {
        return "it has more than 64 channels on one side";
    }
    // Tables belong to the class: filled once, never again while another instance reads them.
    static const bool filled = (<<structName>>::classInit(static_cast<int>(rate)), true);
    (void)filled;
    // instanceInit would put every slider back to its default.
    node->faust.instanceConstants(static_cast<int>(rate));
    node->faust.instanceClear();
    for (uint32_t i = 0; i < node->ui.rate_count; ++i) {
        *node->ui.rate[i] = rate;
    }
    node->stale = true;
    return nullptr;
}

void reset(void* self) { static_cast<Node*>(self)->faust.instanceClear(); }

// Frame by frame.
template <typename Dsp>
auto run(Node* node, Dsp& dsp, const float* const* inputs, float* const* outputs, uint32_t frames, int)
    -> decltype(dsp.control(node->whole, node->real))
{
    const int ins = dsp.getNumInputs(), outs = dsp.getNumOutputs();
    if (node->stale) {
        dsp.control(node->whole, node->real);
        node->stale = false;
    }
    double in[kMaxChannels], out[kMaxChannels];
    for (uint32_t i = 0; i < frames; ++i) {
        for (int c = 0; c < ins; ++c) {
            in[c] = inputs[c][i];
        }
        dsp.compute(in, out, node->whole, node->real);
        for (int c = 0; c < outs; ++c) {
            outputs[c][i] = static_cast<float>(out[c]);
        }
    }
}

// In chunks on the stack.
template <typename Dsp>
void run(Node*, Dsp& dsp, const float* const* inputs, float* const* outputs, uint32_t frames, long)
{
    const uint32_t ins = static_cast<uint32_t>(dsp.getNumInputs());
    const uint32_t outs = static_cast<uint32_t>(dsp.getNumOutputs());
    double scratch_in[kMaxChannels][kChunk], scratch_out[kMaxChannels][kChunk];
    double *in[kMaxChannels], *out[kMaxChannels];
    for (uint32_t c = 0; c < ins; ++c) {
        in[c] = scratch_in[c];
    }
    for (uint32_t c = 0; c < outs; ++c) {
        out[c] = scratch_out[c];
    }
    for (uint32_t done = 0; done < frames; done += kChunk) {
        const int n = static_cast<int>(min<uint32_t>(kChunk, frames - done));
        for (uint32_t c = 0; c < ins; ++c) {
            for (int i = 0; i < n; ++i) {
                in[c][i] = inputs[c][done + i];
            }
        }
        dsp.compute(n, in, out);
        for (uint32_t c = 0; c < outs; ++c) {
            for (int i = 0; i < n; ++i) {
                outputs[c][done + i] = static_cast<float>(out[c][i]);
            }
        }
    }
}

void process(void* self, const float* const* inputs, float* const* outputs, uint32_t frames)
{
    Node* node = static_cast<Node*>(self);
    run(node, node->faust, inputs, outputs, frames, 0);
}

void set_param(void* self, uint32_t index, double value)
{
    Node* node = static_cast<Node*>(self);
    *node->ui.zones[index] = value;
    node->stale = true;
}

double get_param(void* self, uint32_t index) { return *static_cast<Node*>(self)->ui.zones[index]; }

void set_phase(void* self, uint32_t index, uint64_t phase, uint64_t increment, int64_t sweep)
{
    constexpr double cycle = 18446744073709551616.0; // 2^64
    Node* node = static_cast<Node*>(self);
    const Phase& to = node->ui.phases[index];
    // One more than the last, never the 0 that instanceClear leaves behind.
    node->epoch = node->epoch < 1e15 ? node->epoch + 1 : 1;
    if (to.phase != nullptr) {
        *to.phase = static_cast<double>(phase) / cycle;
    }
    if (to.increment != nullptr) {
        *to.increment = static_cast<double>(static_cast<int64_t>(increment)) / cycle;
    }
    if (to.sweep != nullptr) {
        *to.sweep = static_cast<double>(sweep) / cycle;
    }
    if (to.epoch != nullptr) {
        *to.epoch = node->epoch;
    }
    node->stale = true;
}

// The help of each parameter that something moves from outside, with a line "key: value" for each mover.
void add_movers(const UI& ui, zg_param* params, char* memory, size_t bytes)
{
    for (uint32_t i = 0; i < ui.count; ++i) {
        const char* begin = memory;
        size_t length = std::strlen(params[i].help);
        bool any = false;
        if (length + 1 > bytes) {
            return;
        }
        std::memcpy(memory, params[i].help, length);
        for (uint32_t m = 0; m < ui.mover_count; ++m) {
            const size_t key = std::strlen(ui.movers[m].key), value = std::strlen(ui.movers[m].value);
            if (ui.movers[m].param != i || length + key + value + 4 > bytes) {
                continue;
            }
            memory[length++] = '\n';
            std::memcpy(memory + length, ui.movers[m].key, key);
            length += key;
            memory[length++] = ':';
            memory[length++] = ' ';
            std::memcpy(memory + length, ui.movers[m].value, value);
            length += value;
            any = true;
        }
        if (any) {
            memory[length] = 0;
            params[i].help = begin;
            memory += length + 1;
            bytes -= length + 1;
        }
    }
}

} // namespace

extern "C" const zg_node_descriptor* zg_node_<<moduleName>>(void)
{
    // Filled in at the first call, which the registry makes once and alone.
    static zg_node_descriptor descriptor;
    static zg_param params[kMaxParams];
    static char helps[kHelpBytes];
    if (descriptor.abi == ZG_ABI) {
        return &descriptor;
    }
    Node* node = static_cast<Node*>(create());
    if (node == nullptr) {
        return nullptr;
    }
    Meta meta;
    node->faust.metadata(&meta);
    std::memcpy(params, node->ui.params, sizeof(zg_param) * node->ui.count);
    add_movers(node->ui, params, helps, kHelpBytes);
    descriptor.inputs = static_cast<uint32_t>(node->faust.getNumInputs());
    descriptor.outputs = static_cast<uint32_t>(node->faust.getNumOutputs());
    descriptor.latency = static_cast<uint32_t>(std::strtoul(meta.latency, nullptr, 10));
    descriptor.language = "faust";
    descriptor.help = meta.description;
    descriptor.input_names = meta.inputs;
    descriptor.output_names = meta.outputs;
    descriptor.phases = meta.phases;
    descriptor.param_count = node->ui.count;
    descriptor.params = params;
    descriptor.create = create;
    descriptor.destroy = destroy;
    descriptor.init = init;
    descriptor.reset = reset;
    descriptor.process = process;
    descriptor.set_param = set_param;
    descriptor.get_param = get_param;
    descriptor.set_phase = set_phase;
    descriptor.abi = ZG_ABI;
    destroy(node);
    return &descriptor;
}
