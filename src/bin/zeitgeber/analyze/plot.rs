//! The drawing of `zeitgeber analyze --plot`: four panels on white, for a paper.

use super::courses::EarCourse;
use crate::args::{self, Problem};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};
use realfft::num_complex::{Complex32, Complex64};
use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::TAU;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use zeitgeber::analysis::entrainment::Course;
use zeitgeber::file;

/// Width and height in pixels: 17 cm wide at 300 dpi.
const SIZE: (u32, u32) = (2008, 1500);

/// Blue and vermillion, told apart by every eye (Okabe and Ito, 2008), and two more.
const COLOURS: [RGBColor; 4] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
];

/// The one font, and the names plotters asks for.
const FONT: &[u8] = include_bytes!("../../../../assets/fonts/Inter-Regular.otf");
const FAMILY: &str = "sans-serif";

/// Frames of one spectrum, and its lowest level in dBFS.
const SPECTRUM: usize = 32_768;
const FLOOR: f64 = -120.0;

/// Seconds of the excerpt for envelope and phase, and of the window around each of its points.
const EXCERPT: f64 = 2.0;
const WINDOW: f64 = 0.020;
/// Points of it.
const POINTS: usize = 800;

/// What is drawn of a file, gathered as it streams by; memory does not grow.
pub struct Picture {
    rate: f64,
    title: String,
    fft: Arc<dyn RealToComplex<f32>>,
    waiting: Vec<Vec<f32>>,
    power: Vec<Vec<f64>>,
    spectra: u64,
    frames: u64,
    /// The last whole excerpt, with the frame it begins at, and the one that grows.
    excerpt: (u64, Vec<Vec<f32>>),
    growing: Vec<Vec<f32>>,
    begins: u64,
    carrier: Option<f64>,
}

impl Picture {
    /// Of a stream of 1 or 2 channels at `rate` hertz.
    pub fn new(channels: usize, rate: f64) -> Picture {
        Picture {
            rate,
            title: String::new(),
            fft: RealFftPlanner::new().plan_fft_forward(SPECTRUM),
            waiting: vec![Vec::new(); channels],
            power: vec![vec![0.0; SPECTRUM / 2 + 1]; channels],
            spectra: 0,
            frames: 0,
            excerpt: (0, vec![Vec::new(); channels]),
            growing: vec![Vec::new(); channels],
            begins: 0,
            carrier: None,
        }
    }

    /// Adds one chunk: a slice per channel.
    pub fn push(&mut self, channels: &[&[f32]]) {
        let length = (EXCERPT * self.rate) as usize;
        let count = channels.first().map_or(0, |channel| channel.len());
        for n in 0..count {
            let frame = self.frames + n as u64;
            for (ear, channel) in channels.iter().enumerate() {
                let sample = if channel[n].is_finite() {
                    channel[n]
                } else {
                    0.0
                };
                self.waiting[ear].push(sample);
                if frame >= self.begins {
                    self.growing[ear].push(sample);
                }
            }
            if self.waiting[0].len() == SPECTRUM {
                self.spectrum();
            }
            if self.growing[0].len() == length {
                let whole: Vec<Vec<f32>> = self.growing.iter_mut().map(std::mem::take).collect();
                self.excerpt = (self.begins, whole);
                // Later ones take its place at doubling times, so that the last lies well inside the file.
                self.begins = (2 * self.begins).max(2 * length as u64);
            }
        }
        self.frames += count as u64;
    }

    fn spectrum(&mut self) {
        for (waiting, power) in self.waiting.iter_mut().zip(&mut self.power) {
            let hann = |n: usize| (0.5 - 0.5 * (TAU * n as f64 / SPECTRUM as f64).cos()) as f32;
            let mut input: Vec<f32> = waiting
                .iter()
                .enumerate()
                .map(|(n, x)| x * hann(n))
                .collect();
            input.resize(SPECTRUM, 0.0);
            let mut bins: Vec<Complex32> = self.fft.make_output_vec();
            if self.fft.process(&mut input, &mut bins).is_ok() {
                for (sum, bin) in power.iter_mut().zip(&bins) {
                    *sum += f64::from(bin.norm_sqr());
                }
            }
            waiting.drain(..waiting.len().min(SPECTRUM / 2));
        }
        self.spectra += 1;
    }

    /// What the drawing is headed with, and which tone its lower panels follow.
    pub fn about(&mut self, path: &Path, courses: &[Course]) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.title = format!(
            "{name}, {:.1} s at {} Hz",
            self.frames as f64 / self.rate,
            self.rate
        );
        self.carrier = courses.first().map(|course| course.beat.carrier());
        if self.spectra == 0 {
            self.spectrum();
        }
        if self.excerpt.1[0].is_empty() {
            self.excerpt = (0, self.growing.clone());
        }
    }

    /// Draws into a PNG file, which appears when it is complete.
    pub fn draw(&self, path: &Path, courses: &[EarCourse]) -> Result<(), Problem> {
        // Registered once; a second time changes nothing.
        register_font(FAMILY, FontStyle::Normal, FONT)
            .map_err(|_| Problem::new("the font of the drawing cannot be read"))?;
        let (width, height) = SIZE;
        let mut pixels = vec![255; (3 * width * height) as usize];
        self.panels(&mut pixels, courses).map_err(|error| {
            Problem::new(format!("{}: cannot be drawn: {error}", path.display()))
        })?;
        let fail = |error: io::Error| {
            Problem::new(format!("{}: cannot be written: {error}", path.display()))
        };
        let place = file::destination(path).map_err(fail)?;
        let temporary = file::part(&place, "part");
        let written = encode(&pixels).and_then(|bytes| {
            fs::write(&temporary, bytes)?;
            fs::rename(&temporary, &place)
        });
        written.map_err(|error| {
            // Whatever there is of it.
            let _ = fs::remove_file(&temporary);
            fail(error)
        })
    }

    fn panels(
        &self,
        pixels: &mut [u8],
        courses: &[EarCourse],
    ) -> Result<(), Box<dyn std::error::Error>> {
        let root = BitMapBackend::with_buffer(pixels, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let root = root.margin(16, 0, 0, 16);
        let root = root.titled(&self.title, (FAMILY, 40))?;
        let panels = root.split_evenly((2, 2));
        self.draw_spectrum(&panels[0])?;
        self.draw_beats(&panels[1], courses)?;
        let [envelope, phase] = self.follow();
        let from = self.excerpt.0 as f64 / self.rate;
        let span = from..from + self.excerpt.1[0].len().max(1) as f64 / self.rate;
        let what = match self.carrier {
            Some(carrier) => format!("Envelope around {carrier:.0} Hz"),
            None => "Envelope".to_owned(),
        };
        let most = envelope
            .iter()
            .flatten()
            .map(|point| point.1)
            .fold(1e-6, f64::max);
        let panel = Panel {
            title: &what,
            x: "Time (s)",
            y: "Peak (linear)",
        };
        panel.draw(
            &panels[2],
            span.clone(),
            0.0..1.1 * most,
            &self.ears(&envelope),
        )?;
        let panel = Panel {
            title: "Phase of the right ear before the left",
            x: "Time (s)",
            y: "Degrees",
        };
        panel.draw(
            &panels[3],
            span,
            -180.0..180.0,
            &[(String::new(), COLOURS[2], phase[0].clone())],
        )?;
        root.present()?;
        Ok(())
    }

    fn ears(&self, points: &[Points]) -> Vec<Named> {
        let names = if points.len() == 1 {
            &["mono"][..]
        } else {
            &["left", "right"]
        };
        let named = points.iter().zip(names).zip(COLOURS);
        named
            .map(|((points, name), colour)| (name.to_string(), colour, points.clone()))
            .collect()
    }

    fn draw_spectrum(&self, area: &Area) -> Result<(), Box<dyn std::error::Error>> {
        let full = (SPECTRUM as f64 / 4.0).powi(2) * self.spectra.max(1) as f64;
        let step = self.rate / SPECTRUM as f64;
        let top = (0.5 * self.rate).min(20_000.0);
        let line = |power: &Vec<f64>| -> Vec<(f64, f64)> {
            let bins = power
                .iter()
                .enumerate()
                .map(|(k, power)| (k as f64 * step, power));
            bins.filter(|(hertz, _)| (20.0..top).contains(hertz))
                .map(|(hertz, power)| {
                    (hertz, (10.0 * (power / full).max(1e-30).log10()).max(FLOOR))
                })
                .collect()
        };
        let lines: Vec<_> = self.power.iter().map(line).collect();
        let panel = Panel {
            title: "Spectrum",
            x: "Frequency (Hz)",
            y: "Peak of a tone (dBFS)",
        };
        let x = (20.0..top.max(40.0)).log_scale();
        panel.draw(area, x, FLOOR..0.0, &self.ears(&lines))
    }

    fn draw_beats(
        &self,
        area: &Area,
        courses: &[EarCourse],
    ) -> Result<(), Box<dyn std::error::Error>> {
        let seconds = (self.frames as f64 / self.rate).max(1e-3);
        let told = courses
            .iter()
            .filter(|course| course.points().len() > courses[0].points().len() / 10);
        let lines: Vec<Named> = told
            .zip(COLOURS)
            .map(|(course, colour)| {
                let points = course
                    .points()
                    .iter()
                    .map(|(at, hz)| (*at, hz.abs()))
                    .collect();
                (course.title(), colour, points)
            })
            .collect();
        let most = lines
            .iter()
            .flat_map(|line| &line.2)
            .map(|point| point.1)
            .fold(0.0, f64::max);
        let title = if lines.is_empty() {
            "Beat over time: none found"
        } else {
            "Beat over time"
        };
        let panel = Panel {
            title,
            x: "Time (s)",
            y: "Beat (Hz)",
        };
        panel.draw(
            area,
            0.0..seconds,
            0.0..if most > 0.0 { 1.2 * most } else { 40.0 },
            &lines,
        )
    }

    /// Envelope of each ear over the excerpt, and the phase between them in degrees.
    fn follow(&self) -> [Vec<Points>; 2] {
        let (from, ears) = &self.excerpt;
        let length = ears[0].len();
        let half = ((0.5 * WINDOW * self.rate) as usize).max(2);
        let points = POINTS.min(length / 2);
        let places = (0..points).map(|n| n * length / points.max(1));
        let around = |ear: &[f32], place: usize| -> Complex64 {
            let range = place.saturating_sub(half)..(place + half).min(length);
            let (mut sum, mut weights) = (Complex64::default(), 0.0);
            for n in range {
                let weight =
                    0.5 + 0.5 * (TAU * (n as f64 - place as f64) / (2 * half) as f64).cos();
                let turn = TAU * (self.carrier.unwrap_or(0.0) * n as f64 / self.rate).fract();
                let sample = f64::from(ear[n]);
                sum += match self.carrier {
                    // A tone of peak 1 has two halves.
                    Some(_) => Complex64::cis(-turn) * (2.0 * weight * sample),
                    None => Complex64::from(weight * sample * sample),
                };
                weights += weight;
            }
            sum / f64::max(weights, 1e-9)
        };
        let (mut envelope, mut phase) = (vec![Vec::new(); ears.len()], Vec::new());
        for place in places {
            let time = (*from as f64 + place as f64) / self.rate;
            let values: Vec<Complex64> = ears.iter().map(|ear| around(ear, place)).collect();
            for (line, value) in envelope.iter_mut().zip(&values) {
                // Of sound without a tone the RMS, as the peak of a tone.
                let peak = if self.carrier.is_some() {
                    value.norm()
                } else {
                    (2.0 * value.re).sqrt()
                };
                line.push((time, peak));
            }
            if let ([left, right], Some(_)) = (&values[..], self.carrier)
                && left.norm().min(right.norm()) > 1e-5
            {
                phase.push((time, (right * left.conj()).arg().to_degrees()));
            }
        }
        [envelope, vec![phase]]
    }
}

/// Places in a panel.
type Points = Vec<(f64, f64)>;

/// What is drawn of one ear or beat: its name, its colour, its places.
type Named = (String, RGBColor, Points);

/// Refuses names under which no drawing should appear, before anything is measured.
pub fn check(path: &Path) -> Result<(), Problem> {
    let refuse = |what: &str| Err(Problem::new(format!("{}: {what}", path.display())));
    if path
        .extension()
        .is_none_or(|ending| !ending.eq_ignore_ascii_case("png"))
    {
        return refuse("only PNG can be drawn; name it .png");
    }
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return refuse("is not a file that can be written; name a new file");
    }
    let place = file::destination(path).map_err(|error| args::unwritable(path, &error))?;
    let folder = place
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return refuse("its folder does not exist; make it first");
    }
    Ok(())
}

type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

/// What a panel is labelled with.
struct Panel<'a> {
    title: &'a str,
    x: &'a str,
    y: &'a str,
}

impl Panel<'_> {
    fn draw<X>(
        &self,
        area: &Area,
        x: X,
        y: std::ops::Range<f64>,
        lines: &[Named],
    ) -> Result<(), Box<dyn std::error::Error>>
    where
        X: plotters::coord::ranged1d::AsRangedCoord<Value = f64>,
        X::CoordDescType: plotters::coord::ranged1d::ValueFormatter<f64>,
    {
        let mut chart = ChartBuilder::on(area)
            .margin(24)
            .caption(self.title, (FAMILY, 32))
            .x_label_area_size(70)
            .y_label_area_size(110)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .x_desc(self.x)
            .y_desc(self.y)
            .x_labels(8)
            .y_labels(8)
            .label_style((FAMILY, 26))
            .axis_desc_style((FAMILY, 28))
            .light_line_style(WHITE)
            .bold_line_style(RGBColor(225, 225, 225))
            .draw()?;
        for (n, (name, colour, points)) in lines.iter().enumerate() {
            // The first is seen under a second that covers it.
            let style = colour.stroke_width(if n == 0 && lines.len() > 1 { 6 } else { 3 });
            let is_phase = name.is_empty();
            if is_phase || points.len() == 1 {
                // A phase wraps: dots, no line across the panel.
                chart.draw_series(
                    points
                        .iter()
                        .map(|point| Circle::new(*point, 3, colour.filled())),
                )?;
                continue;
            }
            let series = chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
            series
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 36, y)], style));
        }
        if lines
            .iter()
            .any(|line| !line.0.is_empty() && line.2.len() > 1)
        {
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperRight)
                .legend_area_size(48)
                .background_style(WHITE.mix(0.85))
                .border_style(RGBColor(200, 200, 200))
                .label_font((FAMILY, 26))
                .draw()?;
        }
        Ok(())
    }
}

fn encode(pixels: &[u8]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIZE.0, SIZE.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // 300 dots an inch.
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: 11_811,
        yppu: 11_811,
        unit: png::Unit::Meter,
    }));
    let done = encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(pixels));
    done.map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}
