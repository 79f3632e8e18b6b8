//! promise: the audio thread of the real library never allocates, frees, locks, waits or enters the system, all features on
//!
//! Every function that the library calls outside of itself while it processes is counted (`watch.rs`), and what is called
//! must be on the list of what only computes.

/// What may be called: these compute, and do nothing else.
const PURE: &[&str] = &[
    "memcpy",
    "memmove",
    "memset",
    "memcmp",
    "bcmp",
    "strlen",
    "acos",
    "asin",
    "atan",
    "atan2",
    "cos",
    "sin",
    "sincos",
    "tan",
    "exp",
    "exp2",
    "expm1",
    "hypot",
    "log",
    "log10",
    "log1p",
    "log2",
    "pow",
    "acosf",
    "asinf",
    "atan2f",
    "cosf",
    "sinf",
    "sincosf",
    "tanf",
    "expf",
    "exp2f",
    "hypotf",
    "logf",
    "log10f",
    "log2f",
    "powf",
    "fmod",
    "fmodf",
    "round",
    "roundf",
    "floor",
    "floorf",
    "ceil",
    "ceilf",
    "trunc",
    "truncf",
    "rint",
    "rintf",
    "nextafterf",
    "__divti3",
    "__modti3",
    "__udivti3",
    "__umodti3",
    "__fixdfti",
    "__fixunsdfti",
    "__floattidf",
    "__floatuntidf",
    "__powidf2",
    "__powisf2",
    "__memcpy_chk",
    "__memset_chk",
];

/// What the framework (nice-plug) does by itself, at most so often in a whole run, and why.
const FRAMEWORKS: &[(&str, usize, &str)] = &[(
    "clock_gettime",
    usize::MAX,
    "a reset reads the clock, which is no system call on Linux",
)];

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod counted {
    use super::{FRAMEWORKS, PURE};
    use crate::library::library;
    use crate::raw::{AMBISONIC, Instance, Library, STEREO, Sent, midi, playing, with_fields};
    use crate::watch::{calls, watch};
    use std::net::UdpSocket;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};
    use zeitgeber::control::osc::{Arg, Message};
    use zeitgeber::engine::ControlId;
    use zeitgeber::engine::controls as id;

    const RATE: f64 = 48_000.0;
    const FRAMES: u32 = 256;

    struct Random(u64);

    impl Random {
        fn below(&mut self, most: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 11) % most
        }
    }

    /// Nothing but computing has been done since the last time, and what the framework does.
    fn assert_pure(what: &str) {
        let mut bad = Vec::new();
        for (name, count) in calls() {
            let most = FRAMEWORKS
                .iter()
                .find(|(allowed, ..)| *allowed == name)
                .map_or(0, |(_, most, _)| *most);
            if PURE.contains(&name.as_str()) {
                continue;
            }
            println!("{what}: {name} was called {count} times");
            if count > most {
                bad.push(format!("{name}, {count} times"));
            }
        }
        assert!(
            bad.is_empty(),
            "{what}: the audio thread called {}",
            bad.join("; ")
        );
    }

    fn blocks() -> usize {
        match std::env::var_os("ZEITGEBER_LONG") {
            Some(_) => 100_000,
            None => 250,
        }
    }

    /// Processes blocks of noise; `events` makes those of a block.
    fn render(
        instance: &Instance,
        channels: usize,
        blocks: usize,
        mut events: impl FnMut(usize) -> Vec<Sent>,
    ) {
        let mut random = Random(88_172_645_463_325_252);
        let mut buffers = vec![vec![0.0f32; FRAMES as usize]; channels];
        for block in 0..blocks {
            for x in buffers.iter_mut().flatten() {
                *x = random.below(2000) as f32 / 4000.0 - 0.25;
            }
            let mut events = events(block);
            events.sort_by_key(|event| match event {
                Sent::Param(event) => event.header.time,
                Sent::Midi(event) => event.header.time,
                Sent::Transport(event) => event.header.time,
            });
            let seconds = block as f64 * f64::from(FRAMES) / RATE;
            let mut transport = playing(seconds, 120.0);
            if block % 50 == 49 {
                transport.flags &= !clap_sys::events::CLAP_TRANSPORT_IS_PLAYING;
            }
            let frames = if block % 7 == 0 { 33 } else { FRAMES };
            instance.process(
                &mut buffers,
                channels as u32,
                frames,
                &events,
                Some(&transport),
            );
            assert!(buffers.iter().flatten().all(|x| x.is_finite()));
        }
    }

    /// Every kind of program and layer, the bed, the gate, the leveller, the ceiling, filters and bus and room.
    fn everything(instance: &Instance, block: usize) -> Vec<Sent> {
        let at = |control, value: f64| instance.set(0, control, value);
        match block {
            0 => vec![
                at(id::FADE_IN, 0.0),
                at(id::BEAT, 12.0),
                at(id::L1_KIND, 1.0),
                at(id::L2_KIND, 3.0),
                at(id::L3_KIND, 4.0),
                at(id::L4_KIND, 5.0),
                at(id::L2_SPACE, 1.0),
                at(id::NOISE_KIND, 2.0),
                at(id::PROG_KIND, 1.0),
                at(id::GATE_ON, 1.0),
                at(id::LEVELLER_ON, 1.0),
                at(id::CEILING_ON, 1.0),
                at(id::SPACE_KIND, 1.0),
                at(id::MOTION, 1.0),
                at(id::MOTION_RATE, 1.0),
                at(id::PROTOCOL_ON, 1.0),
                at(id::HEAD_TRACK, 1.0),
            ],
            n if n % 20 == 10 => vec![
                at(id::PROG_KIND, (n / 20 % 5) as f64),
                at(id::L1_KIND, (n / 20 % 6) as f64),
                at(id::NOISE_KIND, (n / 20 % 4) as f64),
                at(id::L1_WAVE, (n / 20 % 4) as f64),
            ],
            n if n % 40 == 5 => vec![
                at(id::SPACE_KIND, (n / 40 % 3) as f64),
                at(id::ROOM, if n / 40 % 2 == 0 { -20.0 } else { -80.0 }),
                instance.set(13, id::ORDER, (n / 40 % 5) as f64),
            ],
            n => vec![
                midi(7, [0xB0, 21, (n % 128) as u8]),
                midi(9, [0xC0, (n % 3) as u8, 0]),
            ],
        }
    }

    /// Run by itself in a process of its own (below).
    #[test]
    #[ignore = "run by nothing_is_called_on_the_audio_thread"]
    fn counted_calls() {
        let library_of = Library::open();
        watch(&library());
        // The watch sees the framework and us: an instance is made on a thread that says it processes audio.
        let made = crate::watch::on_the_audio_thread(|| Instance::of(&library_of, STEREO));
        assert!(calls().get("malloc").copied().unwrap_or(0) > 10);
        drop(made);
        calls();

        let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("a socket");
        let (osc, tracker) = (free_port(), free_port());
        for (class, channels) in [(STEREO, 2), (AMBISONIC, 16)] {
            let instance = Instance::of(&library_of, class);
            let plain = instance.save();
            let fields = [
                ("protocol", r#"[{"at":0,"beat":20},{"at":1,"beat":4,"l1_level":-30},{"at":2,"carrier":300}]"#.to_owned()),
                ("osc", format!(r#"{{"osc": true, "port": {osc}, "opentrack": true, "opentrack_port": {tracker}}}"#)),
                ("midi", r#"{"entries": [{"channel": 0, "controller": {"cc": 21}, "moves": {"control": "azimuth"}}]}"#.to_owned()),
            ];
            let state = with_fields(&plain, &fields);
            assert!(instance.load(&state));
            assert!(instance.start(RATE, 512));
            calls();
            render(&instance, channels, blocks(), |block| {
                everything(&instance, block)
            });
            assert_pure("all features");

            // Every control at random, many in one block.
            let mut random = Random(7);
            let all: Vec<ControlId> = ControlId::all().collect();
            render(&instance, channels, blocks(), |_| {
                (0..8)
                    .map(|_| {
                        let control = all[random.below(all.len() as u64) as usize];
                        let share = random.below(1001) as f64 / 1000.0;
                        instance.set_raw(random.below(33) as u32, control, share)
                    })
                    .collect()
            });
            assert_pure("a storm of parameters");

            // Presets and values over OSC, a head tracker, states that are loaded and saved on the main thread, filters that
            // come late: all while it processes.
            let done = AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let mut round = 0u32;
                    while !done.load(Ordering::Relaxed) {
                        round += 1;
                        if round.is_multiple_of(3) {
                            assert!(instance.load(if round.is_multiple_of(2) {
                                &plain
                            } else {
                                &state
                            }));
                        }
                        assert!(!instance.save().is_empty());
                        let preset = Message {
                            address: "/zeitgeber/preset".to_owned(),
                            args: vec![Arg::Text(
                                ["Music modulated at 16 Hz", "Side to side, one a second"]
                                    [round as usize % 2]
                                    .to_owned(),
                            )],
                        };
                        let value = Message {
                            address: "/zeitgeber/azimuth".to_owned(),
                            args: vec![Arg::Number(f64::from(round % 90))],
                        };
                        for message in [preset, value] {
                            let _ = socket
                                .send_to(&message.encode().expect("bytes"), ("127.0.0.1", osc));
                        }
                        let pose = [0.0, 0.0, 0.0, f64::from(round % 90), 5.0, 1.0];
                        let bytes: Vec<u8> = pose.iter().flat_map(|x| x.to_le_bytes()).collect();
                        let _ = socket.send_to(&bytes, ("127.0.0.1", tracker));
                        std::thread::sleep(Duration::from_millis(3));
                    }
                });
                let until = Instant::now() + Duration::from_secs(2);
                while Instant::now() < until {
                    render(&instance, channels, 40, |block| {
                        everything(&instance, block + 5)
                    });
                }
                done.store(true, Ordering::Relaxed);
            });
            assert_pure("states, presets, OSC and a head tracker meanwhile");
            crate::watch::on_the_audio_thread(|| instance.reset());
            assert_pure("a reset");
            instance.stop();
        }
    }

    fn free_port() -> u16 {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("a socket");
        socket.local_addr().expect("an address").port()
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn nothing_is_called_on_the_audio_thread() {
    crate::library::run_alone("process::counted::counted_calls");
}
