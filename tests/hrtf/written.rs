//! SOFA files that are written here: as small as the format allows, of whatever size they say.

use std::path::Path;

/// An address that says: nowhere.
const NOWHERE: u64 = u64::MAX;

/// A file on its way.
pub struct Written {
    bytes: Vec<u8>,
    /// Messages of the root's header.
    root: Vec<u8>,
}

impl Written {
    /// Of a convention that is read, without variables.
    pub fn new(title: &str) -> Written {
        let mut written = Written {
            // The superblock's place.
            bytes: vec![0; 48],
            root: Vec::new(),
        };
        for (name, text) in [
            ("Conventions", "SOFA"),
            ("SOFAConventions", "SimpleFreeFieldHRIR"),
            ("SOFAConventionsVersion", "1.0"),
            ("DataType", "FIR"),
            ("Title", title),
        ] {
            let mut body = vec![3, 0];
            for size in [name.len() + 1, 8, 4] {
                body.extend((size as u16).to_le_bytes());
            }
            body.push(1);
            body.extend(name.as_bytes());
            body.push(0);
            body.extend([0x13, 0x10, 0, 0]);
            body.extend((text.len() as u32).to_le_bytes());
            body.extend([2, 0, 0, 0]);
            body.extend(text.as_bytes());
            message(&mut written.root, 12, &body);
        }
        written
    }

    /// With a variable of floats, as they are.
    pub fn plain(mut self, name: &str, shape: &[usize], numbers: &[f32]) -> Written {
        let address = self.bytes.len() as u64;
        self.bytes
            .extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
        self.variable(name, shape, &contiguous(address, 4 * numbers.len()), None)
    }

    /// With a variable of floats of which none is stored.
    pub fn unstored(self, name: &str, shape: &[usize]) -> Written {
        let size = 4 * shape.iter().product::<usize>();
        self.variable(name, shape, &contiguous(NOWHERE, size), None)
    }

    /// With a variable of floats in one chunk, packed.
    pub fn packed(mut self, name: &str, shape: &[usize], numbers: &[f32]) -> Written {
        let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(&bytes, 6);
        let mut layout = vec![4, 2, 2, shape.len() as u8 + 1, 8];
        for size in shape.iter().chain([&4]) {
            layout.extend((*size as u64).to_le_bytes());
        }
        layout.push(1);
        layout.extend((packed.len() as u64).to_le_bytes());
        layout.extend([0; 4]);
        layout.extend((self.bytes.len() as u64).to_le_bytes());
        self.bytes.extend(packed);
        self.variable(
            name,
            shape,
            &layout,
            Some(&[2, 1, 1, 0, 0, 0, 1, 0, 6, 0, 0, 0]),
        )
    }

    fn variable(
        mut self,
        name: &str,
        shape: &[usize],
        layout: &[u8],
        filters: Option<&[u8]>,
    ) -> Written {
        let mut space = vec![2, shape.len() as u8, 0, 1];
        for size in shape {
            space.extend((*size as u64).to_le_bytes());
        }
        let mut messages = Vec::new();
        message(&mut messages, 1, &space);
        let single = [
            0x11, 0x20, 0x1f, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0,
        ];
        message(&mut messages, 3, &single);
        message(&mut messages, 8, layout);
        if let Some(filters) = filters {
            message(&mut messages, 11, filters);
        }
        let mut link = vec![1, 0, name.len() as u8];
        link.extend(name.as_bytes());
        link.extend((self.bytes.len() as u64).to_le_bytes());
        message(&mut self.root, 6, &link);
        header(&mut self.bytes, &messages);
        self
    }

    /// The whole file.
    pub fn bytes(mut self) -> Vec<u8> {
        let root = self.bytes.len() as u64;
        header(&mut self.bytes, &self.root);
        let mut block = b"\x89HDF\r\n\x1a\n\x02\x08\x08\x00".to_vec();
        for number in [0, NOWHERE, self.bytes.len() as u64, root] {
            block.extend(number.to_le_bytes());
        }
        self.bytes[..block.len()].copy_from_slice(&block);
        self.bytes
    }

    /// Writes the file.
    pub fn write(self, file: &Path) {
        std::fs::write(file, self.bytes()).unwrap();
    }
}

fn contiguous(address: u64, size: usize) -> Vec<u8> {
    let mut layout = vec![3, 1];
    layout.extend(address.to_le_bytes());
    layout.extend((size as u64).to_le_bytes());
    layout
}

fn message(to: &mut Vec<u8>, kind: u8, body: &[u8]) {
    to.push(kind);
    to.extend((body.len() as u16).to_le_bytes());
    to.push(0);
    to.extend(body);
}

fn header(to: &mut Vec<u8>, messages: &[u8]) {
    to.extend(b"OHDR\x02\x02");
    to.extend((messages.len() as u32).to_le_bytes());
    to.extend(messages);
    to.extend([0; 4]);
}
