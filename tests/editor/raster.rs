//! Pictures of egui's output without a graphics card: its triangles, filled in software, so that they are the same
//! on every machine.

use egui::epaint::{ClippedPrimitive, ImageData, Primitive, textures::TexturesDelta};
use egui::{Color32, Rect, TextureId, Vec2};
use std::collections::HashMap;

/// Textures as they have been handed over so far.
#[derive(Default)]
pub struct Atlas {
    images: HashMap<TextureId, ([usize; 2], Vec<Color32>)>,
}

impl Atlas {
    /// Takes up what a frame brings.
    pub fn take(&mut self, delta: &mut TexturesDelta) {
        let parts = std::mem::take(&mut delta.set);
        let parts = parts
            .into_iter()
            .flat_map(|(id, parts)| parts.into_iter().map(move |part| (id, part)));
        for (id, part) in parts {
            let ImageData::Color(image) = &part.image;
            let place = part.pos.unwrap_or([0, 0]);
            if part.pos.is_none() {
                self.images.insert(id, (image.size, image.pixels.clone()));
                continue;
            }
            let Some((size, pixels)) = self.images.get_mut(&id) else {
                continue;
            };
            for (row, line) in image.pixels.chunks(image.size[0]).enumerate() {
                let start = (place[1] + row) * size[0] + place[0];
                pixels[start..start + line.len()].copy_from_slice(line);
            }
        }
        delta.clear();
    }

    /// The colour at a place of a texture, blended between its pixels.
    fn sample(&self, id: TextureId, u: f32, v: f32) -> [f32; 4] {
        let Some((size, pixels)) = self.images.get(&id) else {
            return [1.0; 4];
        };
        let (x, y) = (u * size[0] as f32 - 0.5, v * size[1] as f32 - 0.5);
        let mut sum = [0.0; 4];
        for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let (px, py) = (x.floor() + dx as f32, y.floor() + dy as f32);
            let weight = (1.0 - (x - px).abs()) * (1.0 - (y - py).abs());
            let column = (px.max(0.0) as usize).min(size[0] - 1);
            let row = (py.max(0.0) as usize).min(size[1] - 1);
            let colour = pixels[row * size[0] + column].to_array();
            for (sum, part) in sum.iter_mut().zip(colour) {
                *sum += weight * f32::from(part) / 255.0;
            }
        }
        sum
    }
}

/// A picture: rows from the top of red, green, blue.
#[derive(Clone, PartialEq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<[u8; 3]>,
}

/// Draws triangles in points onto a picture of so many pixels a point.
pub fn draw(atlas: &Atlas, primitives: &[ClippedPrimitive], size: Vec2, scale: f32) -> Picture {
    let (width, height) = ((size.x * scale) as usize, (size.y * scale) as usize);
    let mut pixels = vec![[0.0f32; 3]; width * height];
    for ClippedPrimitive {
        clip_rect,
        primitive,
    } in primitives
    {
        let Primitive::Mesh(mesh) = primitive else {
            continue;
        };
        let clip = Rect::from_min_max(
            (clip_rect.min.to_vec2() * scale).round().to_pos2(),
            (clip_rect.max.to_vec2() * scale).round().to_pos2(),
        );
        for corners in mesh.indices.chunks(3) {
            let corners = [corners[0], corners[1], corners[2]].map(|index| {
                let vertex = mesh.vertices[index as usize];
                let colour = vertex.color.to_array().map(|part| f32::from(part) / 255.0);
                (vertex.pos * scale, vertex.uv, colour)
            });
            triangle(
                atlas,
                mesh.texture_id,
                &corners,
                clip,
                (width, height),
                &mut pixels,
            );
        }
    }
    let byte = |part: f32| (part.clamp(0.0, 1.0) * 255.0).round() as u8;
    Picture {
        width,
        height,
        pixels: pixels.into_iter().map(|pixel| pixel.map(byte)).collect(),
    }
}

type Corner = (egui::Pos2, egui::Pos2, [f32; 4]);

fn triangle(
    atlas: &Atlas,
    texture: TextureId,
    corners: &[Corner; 3],
    clip: Rect,
    (width, height): (usize, usize),
    pixels: &mut [[f32; 3]],
) {
    let [a, b, c] = corners.map(|(place, ..)| place);
    let edge = |p: egui::Pos2, q: egui::Pos2, r: egui::Pos2| {
        (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x)
    };
    let area = edge(a, b, c);
    if area == 0.0 {
        return;
    }
    let low = |values: [f32; 3]| values.into_iter().fold(f32::INFINITY, f32::min);
    let high = |values: [f32; 3]| values.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let (xs, ys) = ([a.x, b.x, c.x], [a.y, b.y, c.y]);
    let range = |from: f32, to: f32, end: usize| {
        let from = (from - 0.5).ceil().max(0.0) as usize;
        let to = ((to - 0.5).ceil().max(0.0) as usize).min(end);
        from..to.max(from)
    };
    for y in range(
        low(ys).max(clip.top()),
        high(ys).min(clip.bottom()) + 1.0,
        height,
    ) {
        for x in range(
            low(xs).max(clip.left()),
            high(xs).min(clip.right()) + 1.0,
            width,
        ) {
            let at = egui::pos2(x as f32 + 0.5, y as f32 + 0.5);
            if !clip.contains(at) {
                continue;
            }
            let weights = [edge(b, c, at), edge(c, a, at), edge(a, b, at)].map(|w| w / area);
            // A pixel on an edge belongs to the triangle on one side of it.
            if weights.iter().any(|weight| *weight < 0.0) {
                continue;
            }
            if weights
                .iter()
                .zip([(b, c), (c, a), (a, b)])
                .any(|(weight, (p, q))| {
                    let (dx, dy) = ((q.x - p.x) * area.signum(), (q.y - p.y) * area.signum());
                    *weight == 0.0 && !(dy < 0.0 || dy == 0.0 && dx > 0.0)
                })
            {
                continue;
            }
            let mix = |part: &dyn Fn(&Corner) -> f32| -> f32 {
                corners
                    .iter()
                    .zip(weights)
                    .map(|(corner, weight)| weight * part(corner))
                    .sum()
            };
            let (u, v) = (mix(&|corner| corner.1.x), mix(&|corner| corner.1.y));
            let texel = atlas.sample(texture, u, v);
            let colour: [f32; 4] =
                std::array::from_fn(|part| mix(&|corner| corner.2[part]) * texel[part]);
            // Colours are multiplied by their alpha already.
            for (below, above) in pixels[y * width + x].iter_mut().zip(colour) {
                *below = above + *below * (1.0 - colour[3]);
            }
        }
    }
}

impl Picture {
    /// Reads a PNG.
    pub fn read(path: &std::path::Path) -> Option<Picture> {
        let file = std::io::BufReader::new(std::fs::File::open(path).ok()?);
        let mut reader = png::Decoder::new(file).read_info().ok()?;
        let mut bytes = vec![0; reader.output_buffer_size()?];
        let info = reader.next_frame(&mut bytes).ok()?;
        let pixels = bytes[..info.buffer_size()]
            .chunks(3)
            .map(|pixel| [pixel[0], pixel[1], pixel[2]])
            .collect();
        Some(Picture {
            width: info.width as usize,
            height: info.height as usize,
            pixels,
        })
    }

    /// Writes a PNG.
    pub fn write(&self, path: &std::path::Path) {
        let file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
        let mut encoder = png::Encoder::new(file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::High);
        let bytes: Vec<u8> = self.pixels.iter().flatten().copied().collect();
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&bytes).unwrap();
    }

    /// The share of pixels that differ by more than a shade.
    pub fn differs(&self, other: &Picture) -> f64 {
        if (self.width, self.height) != (other.width, other.height) {
            return 1.0;
        }
        let apart =
            |(a, b): (&[u8; 3], &[u8; 3])| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > 24);
        let count = self
            .pixels
            .iter()
            .zip(&other.pixels)
            .filter(|pair| apart(*pair))
            .count();
        count as f64 / self.pixels.len() as f64
    }
}
