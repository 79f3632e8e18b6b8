//! What a rendered file says of itself: what made it, and with which preset. No date and no place, so that two
//! bounces of the same are the same to the byte.

/// What made a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags {
    /// The preset, where there was one.
    pub preset: Option<String>,
}

/// Name and version of this program.
const SOFTWARE: &str = concat!("Zeitgeber ", env!("CARGO_PKG_VERSION"));

impl Tags {
    /// The chunk of WAV: `LIST` of `INFO` with `ISFT` and, of a preset, `ICMT`.
    pub(super) fn list(&self) -> Vec<u8> {
        let mut info = b"INFO".to_vec();
        let mut add = |id: &[u8; 4], text: &str| {
            let mut bytes = text.replace('\0', " ").into_bytes();
            bytes.push(0);
            info.extend(id);
            info.extend((bytes.len() as u32).to_le_bytes());
            // Chunks begin at even places.
            bytes.resize(bytes.len().next_multiple_of(2), 0);
            info.extend(bytes);
        };
        add(b"ISFT", SOFTWARE);
        if let Some(preset) = &self.preset {
            add(b"ICMT", &format!("Preset: {preset}"));
        }
        let mut list = b"LIST".to_vec();
        list.extend((info.len() as u32).to_le_bytes());
        list.extend(info);
        list
    }

    /// The Vorbis comment of FLAC: its fields `ENCODER` and, of a preset, `COMMENT`.
    pub(super) fn comment(&self) -> Vec<u8> {
        let mut fields = vec![format!("ENCODER={SOFTWARE}")];
        if let Some(preset) = &self.preset {
            fields.push(format!("COMMENT=Preset: {preset}"));
        }
        let mut bytes = Vec::new();
        let mut add = |text: &str| {
            bytes.extend((text.len() as u32).to_le_bytes());
            bytes.extend(text.as_bytes());
        };
        add(SOFTWARE);
        bytes.extend((fields.len() as u32).to_le_bytes());
        for field in &fields {
            bytes.extend((field.len() as u32).to_le_bytes());
            bytes.extend(field.as_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_whole_and_even() {
        for preset in [None, Some("A"), Some("Schläfrig"), Some("Deep focus")] {
            let tags = Tags {
                preset: preset.map(str::to_owned),
            };
            let list = tags.list();
            let size = u32::from_le_bytes(list[4..8].try_into().unwrap()) as usize;
            assert_eq!((size + 8, list.len() % 2), (list.len(), 0));
            let text = String::from_utf8_lossy(&list).into_owned();
            assert!(text.contains(SOFTWARE));
            assert_eq!(text.contains("Preset: "), preset.is_some());
            let comment = tags.comment();
            let vendor = u32::from_le_bytes(comment[..4].try_into().unwrap()) as usize;
            let count = u32::from_le_bytes(comment[4 + vendor..8 + vendor].try_into().unwrap());
            assert_eq!(count, 1 + u32::from(preset.is_some()));
        }
    }
}
