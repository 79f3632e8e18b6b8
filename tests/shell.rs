//! The shell's own promises: its audio thread does not allocate, a bus passes through it.

use nice_plug::context::PluginApi;
use nice_plug::context::process::SendEventError;
use nice_plug::prelude::{
    ActivateContext, AudioIOLayout, AuxiliaryBuffers, Buffer, BufferConfig, Plugin,
    PluginNoteEvent, ProcessContext, ProcessMode, ProcessStatus, Transport,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use zeitgeber::plugin::{
    AMBISONIC_LAYOUTS, Ambisonic, Class, STEREO_LAYOUTS, Task, Zg, share_transport,
};

thread_local! {
    /// How often this thread has allocated or freed.
    static TOUCHED: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator with a count.
struct Counting;

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TOUCHED.with(|touched| touched.set(touched.get() + 1));
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        TOUCHED.with(|touched| touched.set(touched.get() + 1));
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

type Shell = Zg<true>;

/// A host of a kind that says where it is and asks for nothing.
struct Host(Transport, PluginApi);

impl<C: Class> ActivateContext<Zg<true, C>> for Host {
    fn plugin_api(&self) -> PluginApi {
        self.1
    }
    fn execute(&self, _task: Task) {}
    fn set_latency_samples(&self, samples: u32) {
        assert_eq!(samples, 0, "the latency is constant 0");
    }
    fn set_current_voice_capacity(&self, _capacity: u32) {}
}

impl<C: Class> ProcessContext<Zg<true, C>> for Host {
    fn plugin_api(&self) -> PluginApi {
        self.1
    }
    fn execute_background(&self, _task: Task) {
        panic!("nice-plug's background thread is not for the audio thread");
    }
    fn execute_gui(&self, _task: Task) {
        panic!("nothing of ours runs on the host's main thread");
    }
    fn transport(&self) -> &Transport {
        &self.0
    }
    fn next_event(&mut self) -> Option<PluginNoteEvent<Zg<true, C>>> {
        None
    }
    fn try_send_event(
        &mut self,
        event: PluginNoteEvent<Zg<true, C>>,
    ) -> Result<(), (PluginNoteEvent<Zg<true, C>>, SendEventError)> {
        Err((event, SendEventError::NoOutputBuffer))
    }
    fn set_latency_samples(&self, samples: u32) {
        assert_eq!(samples, 0, "the latency is constant 0");
    }
    fn request_restart(&self) {}
    fn set_current_voice_capacity(&self, _capacity: u32) {}
}

fn host() -> Host {
    let mut transport = Transport::new(48_000.0);
    transport.playing = true;
    transport.pos_samples = Some(0);
    Host(transport, PluginApi::Clap)
}

fn activate<C: Class>(shell: &mut Zg<true, C>, layout: &AudioIOLayout) -> bool {
    activate_in(shell, layout, &mut host())
}

fn activate_in<C: Class>(shell: &mut Zg<true, C>, layout: &AudioIOLayout, host: &mut Host) -> bool {
    let config = BufferConfig {
        sample_rate: 48_000.0,
        min_buffer_size: None,
        max_buffer_size: 64,
        process_mode: ProcessMode::Realtime,
    };
    shell.activate(layout, &config, host)
}

/// Processes one block of 64 frames in place.
fn block<C: Class>(
    shell: &mut Zg<true, C>,
    channels: &mut [Vec<f32>],
    host: &mut Host,
) -> ProcessStatus {
    let mut buffer = Buffer::default();
    // SAFETY: every channel has 64 frames, and the buffer is dropped before the channels.
    unsafe {
        buffer.set_slices(64, |slices| {
            slices.clear();
            for channel in channels {
                slices.push(std::slice::from_raw_parts_mut(channel.as_mut_ptr(), 64));
            }
        });
    }
    let mut aux = AuxiliaryBuffers {
        inputs: &mut [],
        outputs: &mut [],
    };
    let before = TOUCHED.with(Cell::get);
    let status = shell.process(&mut buffer, &mut aux, host);
    assert_eq!(
        TOUCHED.with(Cell::get),
        before,
        "the audio thread has allocated or freed"
    );
    status
}

/// Sets a parameter as a host does.
fn set<C: Class>(shell: &Zg<true, C>, id: &str, normalized: f32) {
    let params = shell.params();
    let (_, pointer, _) = params
        .param_map()
        .into_iter()
        .find(|(name, ..)| name == id)
        .unwrap();
    // SAFETY: `params` lives.
    unsafe { pointer._internal_set_normalized_value(normalized) };
}

#[test]
fn the_audio_thread_does_not_allocate() {
    let mut shell = Shell::default();
    assert!(activate(&mut shell, &STEREO_LAYOUTS[0]));
    shell.reset();
    let mut host = host();
    let mut channels = vec![vec![0.25; 64], vec![0.25; 64]];
    for round in 0..400i64 {
        // Every control travels its whole range, with broken input, seeks and stops in between.
        for (index, (id, ..)) in shell.params().param_map().iter().enumerate() {
            if (round as usize + index).is_multiple_of(7) {
                set(&shell, id, (round as usize * 37 % 101) as f32 / 100.0);
            }
        }
        if round % 50 == 0 {
            channels[0][3] = f32::NAN;
            channels[1][60] = f32::NEG_INFINITY;
        }
        host.0.playing = round % 31 != 0;
        host.0.pos_samples = Some(round * if round % 13 == 0 { 1000 } else { 64 });
        block(&mut shell, &mut channels, &mut host);
        assert!(channels.iter().flatten().all(|sample| sample.is_finite()));
        if round % 97 == 0 {
            let before = TOUCHED.with(Cell::get);
            shell.reset();
            assert_eq!(
                TOUCHED.with(Cell::get),
                before,
                "reset has allocated or freed"
            );
        }
    }
}

/// What a tone of the shell is in a host of a kind whose position comes on by so many frames a block.
fn tone(api: PluginApi, playing: bool, step: i64) -> Vec<f32> {
    let mut shell = Shell::default();
    let mut host = Host(host().0, api);
    host.0.playing = playing;
    assert!(activate_in(&mut shell, &STEREO_LAYOUTS[0], &mut host));
    shell.reset();
    // Binaural.
    set(&shell, "l1_kind", 0.2);
    let mut heard = Vec::new();
    for round in 0..200 {
        host.0.pos_samples = Some(1000 + step * round);
        let mut channels = vec![vec![0.0; 64]; 2];
        block(&mut shell, &mut channels, &mut host);
        heard.extend(channels.concat());
    }
    assert!(heard.iter().any(|sample| *sample != 0.0));
    heard
}

#[test]
fn what_a_standalones_backend_counts_is_no_song_position() {
    let (host, alone) = (PluginApi::Clap, PluginApi::Standalone);
    // A host that jumps is followed.
    assert_ne!(tone(host, true, 64), tone(host, true, 1000));
    // A count is not: the window leads, whatever it is.
    share_transport(false);
    let free = tone(alone, true, 64);
    assert_eq!(free, tone(alone, true, 1000));
    // JACK's transport is, from the first time that it rolls.
    share_transport(true);
    assert_eq!(free, tone(alone, false, 1000));
    assert_ne!(tone(alone, true, 64), tone(alone, true, 1000));
    share_transport(false);
}

#[test]
fn a_bus_leaves_as_it_came_while_space_is_off() {
    let mut shell: Zg<true, Ambisonic> = Zg::default();
    assert!(activate(&mut shell, &AMBISONIC_LAYOUTS[0]));
    shell.reset();
    let mut channels = vec![vec![0.5; 64]; 16];
    assert_eq!(
        block(&mut shell, &mut channels, &mut host()),
        ProcessStatus::Normal
    );
    assert_eq!(channels, vec![vec![0.5; 64]; 16]);
    // A host that passes one channel keeps it.
    let mut channels = vec![vec![0.5; 64]];
    block(&mut shell, &mut channels, &mut host());
    assert_eq!(channels, vec![vec![0.5; 64]]);
}

#[test]
fn a_generator_keeps_itself_awake() {
    let mut shell = Shell::default();
    assert!(activate(&mut shell, &STEREO_LAYOUTS[0]));
    shell.reset();
    set(&shell, "l1_kind", 0.2);
    let mut channels = vec![vec![0.0; 64]; 2];
    assert_eq!(
        block(&mut shell, &mut channels, &mut host()),
        ProcessStatus::KeepAlive
    );
}
