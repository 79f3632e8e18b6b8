//! promise: what goes wrong around it (files, sockets, displays, hosts that lie) is survived, and the audio goes on
//! promise: a state reads no devices and pipes, opens no sockets but those that it names, on loopback, and never hangs
//!
//! All through the plain ABI of the real library.

use crate::held::Held;
use crate::library::{library, run, run_alone, run_alone_with};
use crate::raw::{AMBISONIC, Instance, Library, STEREO, Sent, framed, midi, playing, with_fields};
use crate::watch::on_the_audio_thread;
use std::ffi::CStr;
use std::path::Path;
use std::time::{Duration, Instant};
use zeitgeber::engine::controls as id;

const RATE: f64 = 48_000.0;

/// Renders silence; returns the loudest sample.
fn loudest(instance: &Instance, blocks: usize, events: &[Sent]) -> f32 {
    let mut most = 0.0f32;
    for block in 0..blocks {
        let mut buffers = vec![vec![0.0f32; 256]; 2];
        let events = if block == 0 { events } else { &[] };
        let status = instance.process(&mut buffers, 2, 256, events, None);
        assert_ne!(status, 0, "the plugin said that it failed");
        for x in buffers.iter().flatten() {
            assert!(x.is_finite());
            most = most.max(x.abs());
        }
    }
    most
}

/// A beat of tones in space.
fn sound(instance: &Instance) -> Vec<Sent> {
    vec![
        instance.set(0, id::FADE_IN, 0.0),
        instance.set(0, id::L1_KIND, 1.0),
        instance.set(0, id::L1_SPACE, 1.0),
        instance.set(0, id::SPACE_KIND, 1.0),
    ]
}

#[test]
fn no_channels_and_no_frames_are_survived() {
    let library = Library::open();
    for (class, channels) in [(STEREO, 2), (AMBISONIC, 16)] {
        let instance = Instance::of(&library, class);
        assert!(instance.start(RATE, 512));
        let on = [instance.set(0, id::L1_KIND, 1.0)];
        for told in 0..=channels as u32 {
            for frames in [0, 1, 7, 512] {
                let mut buffers = vec![vec![0.25f32; 512]; channels];
                let events = if frames == 0 { &[][..] } else { &on[..] };
                instance.process(
                    &mut buffers,
                    told,
                    frames,
                    events,
                    Some(&playing(0.0, 120.0)),
                );
                assert!(buffers.iter().flatten().all(|x| x.is_finite()));
                // What is beyond the block is the host's.
                let rest = buffers.iter().flat_map(|buffer| &buffer[frames as usize..]);
                assert!(rest.clone().all(|x| *x == 0.25));
            }
        }
        // An event in a block without frames, and at the last frame of one.
        let mut buffers = vec![vec![0.0f32; 512]; channels];
        for frames in [0, 64, 0, 512] {
            let mut events = vec![instance.set(0, id::BEAT, 20.0)];
            if frames > 0 {
                events.push(instance.set(frames - 1, id::BEAT, 30.0));
            }
            instance.process(&mut buffers, channels as u32, frames, &events, None);
        }
        assert!(buffers[0].iter().any(|x| *x != 0.0), "it does not sound");
        assert_eq!(instance.value(id::BEAT), 30.0);
        instance.stop();
    }
}

/// What an instance with a beat makes of 0.25 in all channels, in blocks whose channels are these: `None` for one that is
/// no place at all. As many as the host says that there are.
fn heard_at(class: &CStr, inputs: &[bool], outputs: &[bool], frames: usize) -> Vec<Vec<f32>> {
    let library = Library::open();
    let instance = Instance::of(&library, class);
    assert!(instance.start(RATE, 256));
    let on = [
        instance.set(0, id::FADE_IN, 0.0),
        instance.set(0, id::L1_KIND, 1.0),
    ];
    let mut sources = vec![vec![0.25f32; frames]; inputs.len()];
    let mut heard = vec![vec![7.0f32; frames]; outputs.len()];
    let places = |channels: &mut [Vec<f32>], there: &[bool]| -> Vec<*mut f32> {
        let channels = channels.iter_mut().zip(there);
        let place = |(channel, there): (&mut Vec<f32>, &bool)| match there {
            true => channel.as_mut_ptr(),
            false => std::ptr::null_mut(),
        };
        channels.map(place).collect()
    };
    let mut from = places(&mut sources, inputs);
    let mut to = places(&mut heard, outputs);
    // SAFETY: each place is that of a channel of so many frames, or none.
    let status = unsafe { instance.process_at(&mut from, &mut to, frames as u32, &on, None) };
    assert_ne!(status, 0, "the plugin said that it failed");
    instance.stop();
    heard
}

/// Run by itself: what a host does that the framework takes at its word ends the process.
#[test]
#[ignore = "run by hosts_that_give_other_channels_than_the_ports_are_survived"]
fn other_channels() {
    let stereo = heard_at(STEREO, &[true; 2], &[true; 2], 256);
    assert!(stereo[0].iter().any(|x| *x != 0.25), "it does not sound");
    // More than the ports have: what is too much of the output is silent.
    for (inputs, outputs) in [(3, 3), (2, 3), (3, 2), (64, 8), (2, 64), (5, 2)] {
        let heard = heard_at(STEREO, &vec![true; inputs], &vec![true; outputs], 256);
        assert_eq!(heard[..2], stereo, "{inputs} in, {outputs} out");
        assert!(heard[2..].iter().flatten().all(|x| *x == 0.0));
    }
    // Fewer: what is there sounds as ever.
    for outputs in [&[true][..], &[true, false]] {
        let heard = heard_at(STEREO, &[true; 2], outputs, 256);
        assert_eq!(heard[0], stereo[0], "{outputs:?}");
    }
    assert_eq!(
        heard_at(STEREO, &[true; 2], &[false, true], 256)[1],
        stereo[1]
    );
    assert!(heard_at(STEREO, &[true; 2], &[], 256).is_empty());
    // An input that is not there is silence.
    let tones: Vec<Vec<f32>> = [&[][..], &[false, false], &[false]]
        .into_iter()
        .map(|inputs| heard_at(STEREO, inputs, &[true; 2], 256).concat())
        .collect();
    assert!(tones.iter().all(|one| *one == tones[0]));
    assert!(tones[0].iter().any(|x| x.abs() > 1e-4));
    assert!(
        tones[0].iter().all(|x| x.abs() < 0.2),
        "what lay in the outputs is heard"
    );
    let half = heard_at(STEREO, &[true], &[true; 2], 256);
    assert_eq!(half[0], stereo[0]);
    assert!(half[1].iter().all(|x| x.abs() < 0.2));
    // A bus, and blocks that are longer than was announced.
    let bus = heard_at(AMBISONIC, &[true; 16], &[true; 16], 256);
    assert_eq!(
        heard_at(AMBISONIC, &[true; 20], &[true; 20], 256)[..16],
        bus
    );
    assert_eq!(heard_at(AMBISONIC, &[true; 16], &[true; 2], 256), bus[..2]);
    let long = heard_at(STEREO, &[true; 2], &[true; 2], 5000);
    assert_eq!(long[0][..256], stereo[0]);
    assert!(
        long[0][4000..].iter().any(|x| *x != 0.25),
        "it does not sound"
    );
    // For so many frames nothing stands in: it is silent, and nothing worse.
    let silent = heard_at(STEREO, &[true; 2], &[true], 5000);
    assert!(silent[0].iter().all(|x| *x == 0.0));
    // Without frames nothing is touched.
    heard_at(STEREO, &[false; 2], &[false; 2], 0);
}

#[test]
fn hosts_that_give_other_channels_than_the_ports_are_survived() {
    run_alone("faults::other_channels");
}

/// Run by itself, likewise.
#[test]
#[ignore = "run by events_out_of_their_block_and_order_are_survived"]
fn other_times() {
    let library = Library::open();
    let instance = Instance::of(&library, STEREO);
    assert!(instance.start(RATE, 256));
    let mut buffers = vec![vec![0.25f32; 512]; 2];
    let mut block = |frames: u32, events: &[Sent]| {
        buffers.iter_mut().for_each(|channel| channel.fill(0.25));
        assert_ne!(instance.process(&mut buffers, 2, frames, events, None), 0);
        // What is beyond the block is the host's.
        let rest = buffers
            .iter()
            .flat_map(|channel| &channel[frames as usize..]);
        assert!(rest.clone().all(|x| *x == 0.25));
    };
    // What is late is obeyed at the end of the block.
    for late in [64, 65, 511, 1 << 20, u32::MAX] {
        block(
            64,
            &[
                instance.set(0, id::BEAT, 20.0),
                instance.set(late, id::BEAT, 30.0),
            ],
        );
        assert_eq!(instance.value(id::BEAT), 30.0, "{late}");
        block(0, &[instance.set(late, id::BEAT, 40.0)]);
        assert_eq!(instance.value(id::BEAT), 40.0, "{late}");
    }
    // Backwards, with a song that jumps about, and far more of them than can be put right.
    let mut later = playing(1e6, 90.0);
    later.header.time = 4000;
    let many: Vec<Sent> = (0..2000u32)
        .map(|n| match n % 5 {
            0 => Sent::Transport(later),
            1 => midi(5000 - n, [0x90, 60, 100]),
            _ => instance.set((7919 * n) % 700, id::BEAT, f64::from(n % 50)),
        })
        .collect();
    for frames in [0, 1, 64, 256] {
        block(frames, &many[..40]);
        block(frames, &many);
    }
    // However many of them tell of a tempo that moves, what else is in the block arrives.
    let mut ramp: Vec<Sent> = (0..400u32)
        .map(|n| {
            let mut there = playing(f64::from(n / 2) / RATE, 100.0 + f64::from(n));
            there.header.time = n / 2;
            Sent::Transport(there)
        })
        .collect();
    ramp.push(instance.set(255, id::BEAT, 8.0));
    block(256, &ramp);
    assert_eq!(instance.value(id::BEAT), 8.0);
    block(
        256,
        &[
            instance.set(0, id::BEAT, 6.0),
            instance.set(255, id::BEAT, 7.0),
        ],
    );
    assert_eq!(instance.value(id::BEAT), 7.0);
    instance.stop();
    // Neither before it is started nor after it.
    let mut buffers = vec![vec![0.25f32; 64]; 2];
    for _ in 0..2 {
        assert_eq!(instance.process(&mut buffers, 2, 64, &[], None), 0);
        assert!(instance.start(RATE, 256));
        instance.stop();
    }
}

#[test]
fn events_out_of_their_block_and_order_are_survived() {
    run_alone("faults::other_times");
}

#[test]
fn transports_that_lie_are_survived() {
    let library = Library::open();
    let instance = Instance::of(&library, STEREO);
    assert!(instance.start(RATE, 512));
    let mut events = vec![
        instance.set(0, id::L1_KIND, 1.0),
        instance.set(0, id::BEAT_SOURCE, 1.0),
        instance.set(0, id::PROG_KIND, 2.0),
        instance.set(0, id::MOTION, 1.0),
        instance.set(0, id::MOTION_SOURCE, 1.0),
    ];
    let wrong = [
        f64::NAN,
        f64::INFINITY,
        -120.0,
        0.0,
        1e-308,
        1e308,
        120.0,
        999.0,
    ];
    let places = [i64::MIN, i64::MAX, -1, -(1 << 40), 0, 1 << 31, 7 << 52];
    for round in 0..400usize {
        let mut transport = playing(round as f64 / 50.0, 120.0);
        transport.tempo = wrong[round % wrong.len()];
        transport.song_pos_seconds = places[round / 3 % places.len()];
        transport.song_pos_beats = places[round / 5 % places.len()];
        transport.bar_start = places[round / 7 % places.len()];
        transport.tsig_num = [4, 0, 65_535, 7][round % 4];
        transport.tsig_denom = [4, 0, 1, 65_535][round / 4 % 4];
        // It tells of another song in the midst of the block.
        let mut later = playing(1e6, wrong[(round + 3) % wrong.len()]);
        later.header.time = 100;
        events.push(Sent::Transport(later));
        let mut buffers = vec![vec![0.1f32; 256]; 2];
        let told = (!round.is_multiple_of(11)).then_some(&transport);
        assert_ne!(instance.process(&mut buffers, 2, 256, &events, told), 0);
        assert!(
            buffers
                .iter()
                .flatten()
                .all(|x| x.is_finite() && x.abs() < 8.0)
        );
        events.clear();
    }
    // And values that are none.
    for share in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
        for control in zeitgeber::engine::ControlId::all() {
            loudest(&instance, 1, &[instance.set_raw(0, control, share)]);
        }
    }
    let saved = instance.save();
    let again = Instance::of(&library, STEREO);
    assert!(again.load(&saved), "a state that it has saved itself");
    assert_eq!(again.save(), saved);
    instance.stop();
}

/// In the midst of a block as between two: the song is where the host says that it is.
#[test]
fn a_song_that_jumps_within_a_block_is_where_the_host_says() {
    const BLOCK: usize = 256;
    const JUMP: usize = 20 * BLOCK + 100;
    const LENGTH: usize = 40 * BLOCK;
    let library = Library::open();
    let song = |frame: usize| {
        let since = |from: usize| (frame - from) as f64 / RATE;
        if frame < JUMP {
            playing(1.0 + since(0), 131.0)
        } else {
            playing(7.25 + since(JUMP), 131.0)
        }
    };
    // A parameter cuts the block once more.
    let render = |starts: &[usize]| {
        let instance = Instance::of(&library, STEREO);
        assert!(instance.start(RATE, 512));
        let mut out = [Vec::new(), Vec::new()];
        for (index, &start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(LENGTH);
            let mut events = Vec::new();
            if start == 0 {
                events.push(instance.set(0, id::FADE_IN, 0.0));
                events.push(instance.set(0, id::L1_KIND, 1.0));
            }
            if (start + 1..end).contains(&JUMP) {
                let mut there = song(JUMP);
                there.header.time = (JUMP - start) as u32;
                events.push(Sent::Transport(there));
            }
            if (start..end).contains(&(JUMP + 31)) {
                events.push(instance.set((JUMP + 31 - start) as u32, id::CARRIER, 300.0));
            }
            let mut buffers = vec![vec![0.0f32; end - start]; 2];
            let frames = (end - start) as u32;
            let status = instance.process(&mut buffers, 2, frames, &events, Some(&song(start)));
            assert_ne!(status, 0);
            for (out, buffer) in out.iter_mut().zip(buffers) {
                out.extend(buffer);
            }
        }
        instance.stop();
        out
    };
    let whole: Vec<usize> = (0..LENGTH).step_by(BLOCK).collect();
    let mut cut = whole.clone();
    cut.push(JUMP);
    cut.sort_unstable();
    let [within, between] = [render(&whole), render(&cut)];
    assert!(within[0].iter().any(|x| x.abs() > 0.05));
    for (frame, (a, b)) in within[0].iter().zip(&between[0]).enumerate() {
        assert!((a - b).abs() < 1e-6, "frame {frame}: {a} {b}");
    }
    assert!(within == between, "to the bit");
}

#[test]
fn another_rate_in_mid_session_and_a_host_that_never_resets() {
    let library = Library::open();
    let instance = Instance::of(&library, STEREO);
    let mut events = sound(&instance);
    for rate in [48_000.0, 44_100.0, 8_000.0, 96_000.0, 48_000.0] {
        assert!(instance.start(rate, 256));
        assert!(
            loudest(&instance, 60, &events) > 0.01,
            "silent at {rate} Hz"
        );
        events.clear();
        instance.stop();
    }
    assert!(instance.start(RATE, 256));
    // Seeks and stops of the song, for as long as it lives, without a reset.
    let mut most = 0.0f32;
    for round in 0..600usize {
        let mut transport = playing((round * 7919 % 1000) as f64, 90.0);
        if round % 5 == 0 {
            transport.flags &= !clap_sys::events::CLAP_TRANSPORT_IS_PLAYING;
        }
        let mut buffers = vec![vec![0.0f32; 256]; 2];
        instance.process(&mut buffers, 2, 256, &[], Some(&transport));
        most = buffers
            .iter()
            .flatten()
            .fold(most, |most, x| most.max(x.abs()));
    }
    assert!(most > 0.01 && most < 2.0, "{most}");
    for _ in 0..40 {
        instance.stop();
        on_the_audio_thread(|| instance.reset());
        assert!(instance.start(RATE, 64));
    }
    instance.stop();
}

#[test]
fn sixty_four_instances_sound_alike() {
    let library = Library::open();
    let all: Vec<Instance> = (0..64).map(|_| Instance::of(&library, STEREO)).collect();
    let render = |instance: &Instance| -> Vec<f32> {
        assert!(instance.start(RATE, 512));
        let mut heard = Vec::new();
        for block in 0..6 {
            let mut buffers = vec![vec![0.0f32; 512]; 2];
            let events = if block == 0 {
                vec![
                    instance.set(0, id::L1_KIND, 1.0),
                    instance.set(0, id::FADE_IN, 0.0),
                    instance.set(0, id::NOISE_KIND, 2.0),
                ]
            } else {
                Vec::new()
            };
            instance.process(
                &mut buffers,
                2,
                512,
                &events,
                Some(&playing(block as f64 * 512.0 / RATE, 120.0)),
            );
            heard.extend(buffers.concat());
        }
        instance.stop();
        heard
    };
    let heard: Vec<Vec<f32>> = std::thread::scope(|scope| {
        let halves: Vec<_> = all
            .chunks(32)
            .map(|half| scope.spawn(|| half.iter().map(render).collect::<Vec<_>>()))
            .collect();
        halves
            .into_iter()
            .flat_map(|half| half.join().expect("no panic"))
            .collect()
    });
    assert!(heard[0].iter().any(|x| x.abs() > 0.01));
    assert!(heard.iter().all(|one| one == &heard[0]), "instances differ");
}

#[test]
fn a_full_disk_while_saving_is_told_and_nothing_changes() {
    let library = Library::open();
    let instance = Instance::of(&library, STEREO);
    assert!(instance.start(RATE, 256));
    loudest(&instance, 4, &sound(&instance));
    let whole = instance.save();
    for limit in [0, 1, 7, 8, 100, whole.len() - 1] {
        assert_eq!(instance.save_within(limit), None, "{limit} bytes");
    }
    assert!(loudest(&instance, 20, &[]) > 0.01);
    assert_eq!(instance.save(), whole);
    // And states that are cut, as a full disk leaves them: refused, and nothing changes.
    for length in [0, 1, 8, 9, whole.len() / 2, whole.len() - 1] {
        instance.load(&whole[..length]);
    }
    assert_eq!(instance.save(), whole);
    for json in [&b"{}"[..], b"[]", b"\0\0\0", b"null", b"{\"params\":{}}"] {
        instance.load(&framed(json.to_vec()));
    }
    // A length that lies is no reason to ask for so much memory.
    let mut lying = u64::MAX.to_le_bytes().to_vec();
    lying.extend(&whole[8..]);
    instance.load(&lying[..40]);
    assert!(loudest(&instance, 20, &[]) > 0.01);
    instance.stop();
}

#[test]
fn an_hrtf_file_that_is_deleted_in_use_goes_on_sounding() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.sofa");
    let asset = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sofa/netcdf.sofa");
    std::fs::copy(asset, &file).expect("a copy");
    let library = Library::open();
    let instance = Instance::of(&library, STEREO);
    let choice = serde_json::json!({ "path": file, "hash": null }).to_string();
    let state = with_fields(&instance.save(), &[("hrtf", choice)]);
    assert!(instance.load(&state));
    assert!(instance.start(RATE, 256));
    let events = sound(&instance);
    assert!(loudest(&instance, 40, &events) > 0.01);
    std::fs::remove_file(&file).expect("it is there");
    assert!(loudest(&instance, 40, &[]) > 0.01);
    instance.stop();
    // Another rate needs the file again: the embedded set sounds in its place, and the choice is kept.
    assert!(instance.start(44_100.0, 256));
    assert!(loudest(&instance, 40, &[]) > 0.01);
    let saved = String::from_utf8(instance.save()[8..].to_vec()).expect("JSON");
    assert!(saved.contains("mine.sofa"), "{saved}");
    instance.stop();
}

/// A host whose stderr goes to a full disk, or to nobody any more: what there is to say is said in the window.
#[test]
#[cfg(target_os = "linux")]
fn stderr_that_takes_nothing_ends_no_host() {
    let test = std::env::current_exe().expect("a test knows its own path");
    for place in ["2>/dev/full", "2>&-", "2>&1 >&3 | true"] {
        let name = "faults::an_hrtf_file_that_is_deleted_in_use_goes_on_sounding";
        let script = format!("exec 3>&1; \"$0\" --exact {name} --nocapture {place}");
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &script]).arg(&test);
        let said = run(&mut command, Duration::from_secs(300)).stdout;
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains("1 passed"), "{place}: {said}");
    }
}

/// A path that is waited for never ends: the process that runs this has a limit.
#[test]
fn paths_in_a_state_read_no_device_and_wait_for_nothing() {
    run_alone("faults::hostile_paths");
}

#[test]
#[ignore = "run by paths_in_a_state_read_no_device_and_wait_for_nothing"]
fn hostile_paths() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe.sofa");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    let huge = folder.path().join("huge.sofa");
    let file = std::fs::File::create(&huge).expect("a file");
    file.set_len(1 << 40).expect("a file with a hole");
    let text = folder.path().join("secret.txt");
    std::fs::write(&text, "not to be repeated").expect("a file");
    let ran = folder.path().join("was-here");
    let paths = [
        "/dev/zero".to_owned(),
        "/dev/stdin".to_owned(),
        "/dev/full".to_owned(),
        "/proc/self/mem".to_owned(),
        "/proc/kmsg".to_owned(),
        "/".to_owned(),
        "//server.invalid/share/set.sofa".to_owned(),
        "http://server.invalid/set.sofa".to_owned(),
        format!("|touch {}", ran.display()),
        format!("{}\u{0}x", folder.path().display()),
        "x".repeat(100_000),
        pipe.display().to_string(),
        huge.display().to_string(),
        text.display().to_string(),
        folder.path().join("missing.sofa").display().to_string(),
    ];
    let library = Library::open();
    for path in paths {
        let instance = Instance::of(&library, STEREO);
        let choice = serde_json::json!({ "path": path, "hash": null }).to_string();
        let state = with_fields(&instance.save(), &[("hrtf", choice)]);
        instance.load(&state);
        assert!(instance.start(RATE, 256));
        assert!(loudest(&instance, 10, &sound(&instance)) > 0.01, "{path}");
        instance.stop();
        // Space is on now: it would have its filters before the first block.
        assert!(instance.start(RATE, 256), "{path}");
        instance.stop();
        let saved = String::from_utf8(instance.save()[8..].to_vec()).expect("JSON");
        assert!(!saved.contains("not to be repeated"));
        drop(instance);
    }
    assert!(!ran.exists());
}

/// Sockets of this process by kind and local address, as Linux lists them: `udp 0100007F:1F90`.
#[cfg(target_os = "linux")]
fn sockets() -> Vec<String> {
    let folder = std::fs::read_dir("/proc/self/fd").expect("Linux lists files");
    let own: Vec<String> = folder
        .filter_map(|file| std::fs::read_link(file.ok()?.path()).ok())
        .filter_map(|link| {
            Some(
                link.to_str()?
                    .strip_prefix("socket:[")?
                    .strip_suffix(']')?
                    .to_owned(),
            )
        })
        .collect();
    let mut found = Vec::new();
    let mut known = 0;
    for kind in ["tcp", "tcp6", "udp", "udp6", "raw", "raw6"] {
        let table = std::fs::read_to_string(format!("/proc/self/net/{kind}")).unwrap_or_default();
        for line in table.lines().skip(1) {
            let parts: Vec<&str> = line.split_whitespace().collect();
            if parts
                .get(9)
                .is_some_and(|inode| own.iter().any(|own| own == inode))
            {
                found.push(format!("{kind} {}", parts[1]));
                known += 1;
            }
        }
    }
    // Others are between processes of this machine, or none that we know.
    if own.len() > known {
        found.push(format!("{} others", own.len() - known));
    }
    found
}

/// Run by itself in a process of its own (below).
#[test]
#[ignore = "run by it_opens_no_sockets_but_those_that_are_asked_for"]
fn counted_sockets() {
    #[cfg(target_os = "linux")]
    {
        let before = sockets();
        let library = Library::open();
        let instance = Instance::of(&library, STEREO);
        assert!(instance.start(RATE, 256));
        loudest(&instance, 40, &sound(&instance));
        std::thread::sleep(Duration::from_millis(400));
        assert_eq!(sockets(), before, "nobody has asked for a socket");
        // A port that another program has is no reason to fall.
        let taken = std::net::UdpSocket::bind(("127.0.0.1", 0)).expect("a socket");
        let port = taken.local_addr().expect("an address").port();
        let osc = |port: u16| format!(r#"{{"osc": true, "port": {port}}}"#);
        assert!(instance.load(&with_fields(&instance.save(), &[("osc", osc(port))])));
        std::thread::sleep(Duration::from_millis(300));
        assert!(loudest(&instance, 40, &[]) > 0.01);
        drop(taken);
        let port = {
            let free = std::net::UdpSocket::bind(("127.0.0.1", 0)).expect("a socket");
            free.local_addr().expect("an address").port()
        };
        assert!(instance.load(&with_fields(&instance.save(), &[("osc", osc(port))])));
        let wanted = format!("udp 0100007F:{port:04X}");
        let until = Instant::now() + Duration::from_secs(20);
        while !sockets().contains(&wanted) {
            assert!(Instant::now() < until, "{:?}", sockets());
            loudest(&instance, 1, &[]);
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut now = sockets();
        now.retain(|socket| !before.contains(socket));
        assert_eq!(now, [wanted], "loopback only");
        instance.stop();
        drop(instance);
        assert_eq!(sockets(), before);
    }
}

#[test]
fn it_opens_no_sockets_but_those_that_are_asked_for() {
    run_alone("faults::counted_sockets");
}

/// Run by itself without a home, a display, a compiler and Faust (below).
#[test]
#[ignore = "run by it_works_without_a_home_a_display_and_compilers"]
fn bare() {
    let library = Library::open();
    for class in [STEREO, AMBISONIC] {
        let instance = Instance::of(&library, class);
        assert!(instance.load(&instance.save()));
        assert!(instance.start(RATE, 256));
        let mut buffers = vec![vec![0.1f32; 256]; 16];
        let channels = if class == STEREO { 2 } else { 16 };
        for block in 0..60 {
            let mut events = sound(&instance);
            events.push(instance.set(0, id::SPACE_KIND, 2.0));
            let events = if block == 0 { &events[..] } else { &[] };
            assert_ne!(
                instance.process(&mut buffers[..channels], channels as u32, 256, events, None),
                0
            );
        }
        assert!(buffers[..2].iter().flatten().any(|x| x.abs() > 0.01));
        instance.stop();
        assert!(!instance.save().is_empty());
    }
}

#[test]
fn it_works_without_a_home_a_display_and_compilers() {
    // A home that can be neither read nor written, whoever runs this: below a file.
    for home in ["/dev/null/home", "", "/proc"] {
        run_alone_with("faults::bare", |command| {
            command
                .env_clear()
                .env("HOME", home)
                .env("PATH", "/dev/null");
        });
    }
}

/// Resident memory in pages.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux tells");
    text.split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .expect("a number")
}

/// Run by itself in a process of its own (below).
#[test]
#[ignore = "run by a_hundred_loads_leave_nothing_behind"]
fn counted_loads() {
    #[cfg(target_os = "linux")]
    {
        let mapped = || {
            let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux tells");
            maps.lines()
                .filter(|line| line.contains("libzeitgeber"))
                .count()
        };
        let file = library();
        let life = || {
            let library = Library::at(&file);
            for class in [STEREO, AMBISONIC] {
                let instance = Instance::of(&library, class);
                assert!(instance.start(RATE, 256));
                if class == STEREO {
                    loudest(&instance, 4, &sound(&instance));
                }
                instance.stop();
            }
        };
        // The first times load whatever is kept: the library itself stays (`-z nodelete`), once.
        for _ in 0..10 {
            life();
        }
        let (before, maps) = (Held::settled(), mapped());
        let pages = resident();
        for _ in 0..100 {
            life();
            before.awaited();
        }
        assert_eq!(mapped(), maps);
        let grown = resident().saturating_sub(pages) * 4096;
        println!("100 loads: {} KB more", grown / 1024);
        assert!(grown < 8 << 20, "{grown} bytes more are in memory");
    }
}

#[test]
fn a_hundred_loads_leave_nothing_behind() {
    run_alone("faults::counted_loads");
}
