//! The file that `zeitgeber live` plays in place of an input device: decoded on a thread of its own into the ring
//! that a device would fill.

use crate::args::Problem;
use rtrb::Producer;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;
use zeitgeber::offline::{Decoder, Looped, Source, resampled};

/// Frames that are decoded at a time.
const CHUNK: usize = 1024;

/// Time between two looks whether there is room.
const PAUSE: Duration = Duration::from_millis(2);

/// Seconds after which a file that is played over and over ends after all: three years.
const FOREVER: f64 = 1e8;

/// Opens a file at `rate`, to be played once or over and over.
pub fn open(path: &Path, once: bool, rate: u32) -> Result<Box<dyn Source>, Problem> {
    let mut source: Box<dyn Source> = Box::new(Decoder::open(path)?);
    let from = source.rate();
    if !once {
        if source.frames() == Some(0) {
            return Err(Problem::new(format!(
                "{}: it is empty, and nothing can be played",
                path.display()
            )));
        }
        let path = PathBuf::from(path);
        let again = move || Ok(Box::new(Decoder::open(&path)?) as Box<dyn Source>);
        let frames = (FOREVER * f64::from(from)) as u64;
        source = Box::new(Looped::new(source, Box::new(again), frames));
    }
    resampled(source, rate).ok_or_else(|| {
        Problem::new(format!(
            "{}: cannot be resampled from {from} Hz to {rate} Hz",
            path.display()
        ))
    })
}

/// Feeds the ring until the file ends or nobody takes from it any more. Says at the end how it ended: with nothing
/// left in the ring, or with a problem.
pub fn feed(
    open: impl FnOnce() -> Result<Box<dyn Source>, Problem> + Send + 'static,
    mut ring: Producer<[f32; 2]>,
    ended: Sender<Result<(), Problem>>,
) {
    thread::spawn(move || {
        let done = open().and_then(|mut source| pour(source.as_mut(), &mut ring));
        let capacity = ring.buffer().capacity();
        while done.is_ok() && !ring.is_abandoned() && ring.slots() < capacity {
            thread::sleep(PAUSE);
        }
        // Nobody listens once the program ends.
        let _ = ended.send(done);
    });
}

fn pour(source: &mut dyn Source, ring: &mut Producer<[f32; 2]>) -> Result<(), Problem> {
    let (mut left, mut right) = (vec![0.0; CHUNK], vec![0.0; CHUNK]);
    loop {
        let count = source.read(&mut [&mut left[..], &mut right[..]])?;
        for n in 0..count {
            while ring.push([left[n], right[n]]).is_err() {
                if ring.is_abandoned() {
                    return Ok(());
                }
                thread::sleep(PAUSE);
            }
        }
        if count < CHUNK {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtrb::RingBuffer;
    use std::sync::mpsc;
    use zeitgeber::offline::WavWriter;

    #[test]
    fn a_file_is_fed_whole_and_in_order_or_over_and_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let sound: Vec<f32> = (0..5000).map(|n| n as f32 / 5000.0).collect();
        let mut wav = WavWriter::create(&path, 1, 48_000).unwrap();
        wav.write(&[&sound]).unwrap();
        wav.finish().unwrap();
        for once in [true, false] {
            let (producer, mut consumer) = RingBuffer::new(300);
            let (sender, ended) = mpsc::channel();
            let path = path.clone();
            feed(move || open(&path, once, 48_000), producer, sender);
            let mut heard = Vec::new();
            while heard.len() < 12_000 {
                match consumer.pop() {
                    Ok([left, right]) => {
                        assert_eq!(left, right);
                        heard.push(left);
                    }
                    Err(_) if ended.try_recv().is_ok() => break,
                    Err(_) => thread::yield_now(),
                }
            }
            assert_eq!(heard.len(), if once { 5000 } else { 12_000 });
            assert!(heard.iter().enumerate().all(|(n, x)| *x == sound[n % 5000]));
        }
    }
}
