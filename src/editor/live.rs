//! What is heard, as it is heard: peaks, the telemetry of this frame, and the monitor of the samples.

use super::link::{AUDIBLE, Link};
use crate::analysis::monitor::{BANDS, FLOOR, Monitor};
use crate::engine::Telemetry;
use std::sync::Arc;

/// Fall of a meter in decibels a second (the ballistics of a peak programme meter, IEC 60268-10).
const FALL: f32 = 20.0 / 1.7;
/// Lowest level that a meter shows, in dBFS.
pub(super) const BOTTOM: f32 = -60.0;
/// What is less would be told as 0.0 dB, in dB.
const LEAST_TOLD: f32 = 0.05;
/// Fall of a spectrum in decibels a second; its peaks are held for so many seconds, then fall.
const SPECTRUM_FALL: f32 = 60.0;
const HOLD: f32 = 2.0;
/// The share of that fall at which peaks fall, and the least of them that is drawn, in dBFS.
const PEAK_FALL: f32 = 0.3;
const DRAWN: f32 = -100.0;
/// Seconds for which no peak is held after another preset was loaded: the one before is still fading.
const FADES: f64 = 2.0;
/// Steps of the envelope's scale in decibels, and by how much less than a step makes it smaller.
const SCALE: f32 = 3.0;
const SMALLER: f32 = 1.5;
/// Seconds after which an engine that makes no frames is not heard.
const STALLED: f32 = 0.3;

/// What is shown of the sound.
pub(super) struct Live {
    telemetry: Option<Arc<Telemetry>>,
    /// In dBFS: input left, right, output left, right.
    pub levels: [f32; 4],
    /// Gain of the leveller in dB, where it does something.
    pub leveller: Option<f32>,
    /// By how many dB a true peak has just exceeded the ceiling.
    pub overshoot: Option<f32>,
    pub monitor: Option<Monitor>,
    /// The number of the next frame to read.
    next: u64,
    frames: Vec<[f32; 2]>,
    /// The spectra of both ears as drawn, in dBFS a band, and their peaks with their age in seconds.
    pub spectra: [[f32; BANDS]; 2],
    pub peaks: [[f32; BANDS]; 2],
    ages: [[f32; BANDS]; 2],
    /// When they were looked at last, and until when nothing is held: seconds.
    looked: Option<f64>,
    free_until: f64,
    /// The preset that they are of.
    sound: Option<u32>,
    /// Held peaks fall, though nothing may be heard.
    falls: bool,
    /// The level at the top of the envelope, in dBFS.
    top: f32,
    /// The phase of the beat as drawn, in cycles, and that of the frame before: the engine tells it once a block.
    pub phase: f64,
    pub phase_before: f64,
    /// How often the window is drawn, as a share of 30 times a second.
    pub pace: f64,
    /// Frames that the engine had made, and for how many seconds it has made none.
    made: (u64, f32),
}

impl Default for Live {
    fn default() -> Self {
        Live {
            telemetry: None,
            levels: [BOTTOM; 4],
            leveller: None,
            overshoot: None,
            monitor: None,
            next: 0,
            frames: Vec::new(),
            spectra: [[FLOOR; BANDS]; 2],
            peaks: [[FLOOR; BANDS]; 2],
            ages: [[0.0; BANDS]; 2],
            looked: None,
            free_until: 0.0,
            sound: None,
            falls: false,
            top: 0.0,
            phase: 0.0,
            phase_before: 0.0,
            pace: 1.0,
            made: (0, STALLED),
        }
    }
}

fn decibels(linear: f32) -> f32 {
    if linear > AUDIBLE {
        20.0 * linear.log10()
    } else {
        f32::NEG_INFINITY
    }
}

impl Live {
    /// Reads what has come in the last `seconds`. True while something moves.
    pub fn poll(&mut self, link: &Link, seconds: f32) -> bool {
        let telemetry = link.telemetry();
        let same = match (&self.telemetry, &telemetry) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            (None, None) => true,
            _ => false,
        };
        if !same {
            self.close();
            if let Some(telemetry) = &telemetry {
                telemetry.display().set_open(true);
                self.next = telemetry.display().written();
                self.monitor = Some(Monitor::new(telemetry.sample_rate()));
            }
            self.telemetry = telemetry;
        }
        let frames = self.telemetry.as_ref().map_or(0, |t| t.frames());
        self.made = match self.made.0 == frames {
            true => (frames, self.made.1 + seconds),
            false => (frames, 0.0),
        };
        let mut moving = false;
        for (level, peak) in self.levels.iter_mut().zip(link.take_peaks()) {
            *level = decibels(peak)
                .max(*level - FALL * seconds)
                .clamp(BOTTOM, 6.0);
            moving |= peak > AUDIBLE || *level > BOTTOM;
        }
        // In silence the readouts go with the levels: an engine that is not called any more leaves the last
        // ones standing.
        let telemetry = self.telemetry.clone().filter(|_| moving);
        self.leveller = telemetry
            .as_ref()
            .map(|t| decibels(t.leveller_gain()))
            .filter(|gain| gain.is_finite() && gain.abs() >= LEAST_TOLD);
        self.overshoot = telemetry
            .map(|t| t.ceiling_overshoot())
            .filter(|over| *over >= LEAST_TOLD);
        self.listen();
        moving |= self.follow_phase(f64::from(seconds));
        moving | std::mem::take(&mut self.falls)
    }

    /// Takes up the samples that have come.
    fn listen(&mut self) {
        let (Some(telemetry), Some(monitor)) = (&self.telemetry, &mut self.monitor) else {
            return;
        };
        self.frames.clear();
        self.next = telemetry.display().read(self.next, &mut self.frames);
        monitor.feed(&self.frames, telemetry.carrier());
    }

    /// Brings the spectra up to date: only where they are drawn, at the time `now` in seconds. What was held falls by the time
    /// that has passed, seen or not; nothing is held of the sound before the one that was loaded last, which has this number.
    pub fn look_at_spectra(&mut self, now: f64, sound: u32) {
        let passed = now - self.looked.replace(now).unwrap_or(now);
        let passed = passed.max(0.0) as f32;
        if self.sound != Some(sound) {
            self.sound = Some(sound);
            self.spectra = [[FLOOR; BANDS]; 2];
            self.free_until = now + FADES;
        }
        let free = now < self.free_until;
        let Some(monitor) = &mut self.monitor else {
            return;
        };
        let fresh = if monitor.is_silent() {
            [[FLOOR; BANDS]; 2]
        } else {
            monitor.spectra()
        };
        let fall = SPECTRUM_FALL * passed;
        for (ear, fresh) in fresh.iter().enumerate() {
            let shown = self.spectra[ear].iter_mut();
            let held = self.peaks[ear].iter_mut().zip(&mut self.ages[ear]);
            for ((fresh, shown), (peak, age)) in fresh.iter().zip(shown).zip(held) {
                *shown = fresh.max(*shown - fall);
                *age += passed;
                *peak -= PEAK_FALL * SPECTRUM_FALL * (*age - HOLD).clamp(0.0, passed);
                if *shown >= *peak || free {
                    (*peak, *age) = (*shown, 0.0);
                }
                self.falls |= *peak > shown.max(DRAWN) + 0.1;
            }
        }
    }

    /// The level at the top of an envelope whose highest peak is `loudest`, linear, in dBFS: a step that stays while that
    /// moves a little.
    pub fn scale(&mut self, loudest: f32) -> f32 {
        let level = decibels(loudest).max(FLOOR);
        if level > self.top || level < self.top - SCALE - SMALLER {
            self.top = SCALE * (level / SCALE).ceil();
        }
        self.top
    }

    /// Moves the drawn phase on with the beat, and towards what the engine says.
    fn follow_phase(&mut self, seconds: f64) -> bool {
        self.phase_before = self.phase;
        let Some(telemetry) = self.sounding() else {
            return false;
        };
        let told = telemetry.beat_phase();
        let ahead = self.phase + telemetry.beat() * seconds;
        let off = (told - ahead + 0.5).rem_euclid(1.0) - 0.5;
        // A block is heard while the next is made: a small difference is the block's, a large one a jump.
        let near = off.abs() < 0.25;
        self.phase = if near { ahead + 0.3 * off } else { told };
        if !near {
            self.phase_before = self.phase;
        }
        true
    }

    /// The engine's telemetry.
    pub fn telemetry(&self) -> Option<&Telemetry> {
        self.telemetry.as_deref()
    }

    /// Whether the protocol's time passes, in an engine that is called.
    pub fn protocol_runs(&self) -> bool {
        let called = self.made.1 < STALLED;
        self.telemetry()
            .is_some_and(|t| called && t.protocol().is_some() && t.protocol_runs())
    }

    /// Whether the protocol is played and moved from here: nobody outside says where it is, as far as is known.
    pub fn protocol_by_itself(&self) -> bool {
        self.telemetry()
            .is_none_or(|t| t.frames() == 0 || t.protocol_by_itself())
    }

    /// The engine's telemetry while something entrains: the clock runs on while nothing does.
    pub fn sounding(&self) -> Option<&Telemetry> {
        // One that is not called any more has left its last words standing.
        let called = self.made.1 < STALLED;
        self.telemetry()
            .filter(|t| called && t.generates() && t.fade() > 0.0)
    }

    /// The display closes.
    pub fn close(&mut self) {
        if let Some(telemetry) = self.telemetry.take() {
            telemetry.display().look_at(None);
            telemetry.display().set_open(false);
        }
        self.monitor = None;
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that hears this, all of it at once.
    fn hearing(sample: impl Fn(usize) -> f32) -> Live {
        let mut monitor = Monitor::new(48_000.0);
        let frames: Vec<[f32; 2]> = (0..9600).map(|n| [sample(n); 2]).collect();
        monitor.feed(&frames, 250.0);
        let mut live = Live::default();
        live.monitor = Some(monitor);
        live
    }

    fn highest(live: &Live) -> f32 {
        live.peaks.iter().flatten().copied().fold(FLOOR, f32::max)
    }

    fn noise(n: usize) -> f32 {
        let bits = (n as u32)
            .wrapping_mul(747_796_405)
            .wrapping_add(2_891_336_453);
        0.2 * ((bits >> 9) as f32 / (1 << 22) as f32 - 1.0)
    }

    fn silence(live: &mut Live) {
        let monitor = live.monitor.as_mut().expect("a monitor");
        monitor.feed(&vec![[0.0; 2]; 20_000], 250.0);
    }

    #[test]
    fn held_peaks_fall_by_the_time_that_passes_seen_or_not() {
        let mut live = hearing(noise);
        live.look_at_spectra(0.0, 1);
        live.look_at_spectra(5.0, 1);
        let before = highest(&live);
        assert!(before > -80.0, "{before}");
        silence(&mut live);
        // Held for two seconds, then 18 dB a second, in whatever steps.
        live.look_at_spectra(6.5, 1);
        assert_eq!(highest(&live), before);
        assert!(live.falls);
        live.look_at_spectra(8.0, 1);
        let fallen = highest(&live);
        assert!((before - fallen - 18.0).abs() < 0.1, "{before} {fallen}");
        // A minute on another page.
        live.falls = false;
        live.look_at_spectra(68.0, 1);
        assert!(highest(&live) <= DRAWN && !live.falls, "{}", highest(&live));
    }

    #[test]
    fn nothing_is_held_of_another_preset() {
        let mut live = hearing(noise);
        live.look_at_spectra(0.0, 1);
        live.look_at_spectra(5.0, 1);
        // It still fades where the next is loaded.
        live.look_at_spectra(5.1, 2);
        silence(&mut live);
        let mut now = 5.1;
        while now < 7.0 {
            now += 0.05;
            live.look_at_spectra(now, 2);
        }
        let most = live.spectra.iter().flatten().copied().fold(FLOOR, f32::max);
        assert_eq!(highest(&live), most);
        live.look_at_spectra(7.2, 2);
        assert!(highest(&live) <= DRAWN, "{}", highest(&live));
    }

    #[test]
    fn the_envelopes_scale_stays_while_the_level_moves_a_little() {
        let mut live = Live::default();
        let mut scale = |db: f32| live.scale(10f32.powf(db / 20.0));
        assert_eq!(scale(-20.0), -18.0);
        for db in [-18.5, -21.5, -22.4] {
            assert_eq!(scale(db), -18.0, "{db}");
        }
        assert_eq!(scale(-23.0), -21.0);
        assert_eq!(scale(-20.0), -18.0);
        assert_eq!(scale(1.0), 3.0);
    }
}
