/* node.h: the node contract of Zeitgeber as a C ABI.
 *
 * A node is one exported function, zg_node_NAME, that returns one descriptor with plain function
 * pointers. C++ nodes fill it in by hand (see ceiling.cpp); Faust nodes get it from faust/node.cpp.
 *
 * Signals are mono float32, one pointer a channel. Parameters are double. Phases are fractions of a
 * cycle as unsigned 64-bit integers: 2^64 is one cycle.
 *
 * Threads: create, init and destroy are called on any one thread at a time and may allocate; reset,
 * process, set_param, get_param and set_phase are called on the audio thread and must never allocate,
 * lock, wait, print or throw.
 */
#ifndef ZEITGEBER_NODE_H
#define ZEITGEBER_NODE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever a layout or a meaning below changes. A host refuses other numbers. */
#define ZG_ABI 1u

/* How a control travels between its ends. */
enum { ZG_SCALE_LINEAR = 0, ZG_SCALE_LOG = 1, ZG_SCALE_EXP = 2 };

/* What a parameter is. A readout is written by the node (a meter) and cannot be set. */
enum { ZG_PARAM_NUMBER = 0, ZG_PARAM_BUTTON = 1, ZG_PARAM_SWITCH = 2, ZG_PARAM_READOUT = 3 };

typedef struct zg_param {
    const char* name; /* unique within the node */
    const char* unit; /* "Hz", "dB", "s"; "" for none */
    const char* help; /* one line; "" for none. Lines after it say what moves the parameter from outside, as
                         Faust's metadata does: "midi: ctrl 7", "osc: /cutoff 0 1"; hosts may ignore them */
    double min, max, init, step;
    uint32_t scale; /* ZG_SCALE_... */
    uint32_t kind;  /* ZG_PARAM_... */
} zg_param;

typedef struct zg_node_descriptor {
    uint32_t abi;            /* ZG_ABI */
    uint32_t inputs;         /* channels */
    uint32_t outputs;        /* channels */
    uint32_t latency;        /* frames; 0 for built-in nodes */
    const char* language;    /* "c++" or "faust" */
    const char* help;        /* one line */
    const char* input_names; /* channel groups: "program: stereo, key: mono, bed: ambisonic 3"; "" for
                                one group of all */
    const char* output_names;
    const char* phases; /* phase inputs and the frequency in hertz that drives them where nothing else
                           does: "left:245, right:255"; "" for none */
    uint32_t param_count;
    const zg_param* params;

    /* A new instance, or NULL when there is no memory. */
    void* (*create)(void);
    void (*destroy)(void* node);
    /* Prepares for a rate in hertz and blocks of up to max_frames; returns 0, or a reason in plain
       English (a static string). Parameters keep their values. */
    const char* (*init)(void* node, double rate, uint32_t max_frames);
    /* Back to the state after init; parameters keep their values. */
    void (*reset)(void* node);
    /* Any number of frames from 0 to max_frames. outputs[i] may be the same buffer as inputs[i]. How a
       signal is cut into blocks must not change a bit of the output. */
    void (*process)(void* node, const float* const* inputs, float* const* outputs, uint32_t frames);
    /* value has been clamped into the range. */
    void (*set_param)(void* node, uint32_t index, double value);
    double (*get_param)(void* node, uint32_t index);
    /* Frame k after this call, until the next, has the phase
         phase + k increment + k (k - 1) / 2 sweep      (modulo 2^64).
       It is called at fixed places of the stream, never because a block ends. May be NULL where there
       are no phases. */
    void (*set_phase)(void* node, uint32_t index, uint64_t phase, uint64_t increment, int64_t sweep);
} zg_node_descriptor;

/* A node library that is opened at run time exports its descriptor under this name. */
#define ZG_NODE_SYMBOL "zg_node"

#ifdef __cplusplus
}
#endif
#endif
