//! The stream that lies in a file.

use std::fs;

use migratrix_contract::Recorder;
use migratrix_history::Observation;
use migratrix_matrix::Transport;
use migratrix_qmp::QemuError;
use serde_json::Value;

use super::OFFSET;
use crate::{QemuDriver, error::StepError};

/// What a stream begins with: a magic and a version, both big-endian.
const HEADER: usize = 8;

/// What comes before the description of the devices at the end: a mark and its length, big-endian.
const MARK: u8 = 6;
const BEFORE_DESCRIPTION: usize = 5;

impl QemuDriver {
    /// Records what lies in the stream's file.
    pub(crate) async fn read_stream(&self, record: &mut Recorder) -> Result<(), StepError> {
        self.await_stream().await;
        let path = self.stream();
        let bytes = fs::read(&path).map_err(QemuError::file("read", &path))?;
        let offset = match self.subject.raw.transport {
            Transport::FileOffset | Transport::FileFdset => OFFSET as usize,
            Transport::Unix
            | Transport::Tcp
            | Transport::Fd
            | Transport::FdFile
            | Transport::File
            | Transport::Exec => 0,
        };
        let stream = bytes.get(offset..).unwrap_or_default();
        let header = stream.get(..HEADER).unwrap_or_default();
        let (magic, version) = header.split_at(header.len() / 2);
        record.saw(Observation::Stream {
            magic: String::from_utf8_lossy(magic).into_owned(),
            version: version
                .iter()
                .fold(0, |all, byte| all << 8 | u32::from(*byte)),
            devices: devices(stream),
            in_place: self.subject.guest.lies_in_place(stream),
        });
        Ok(())
    }
}

/// How many devices the description at the end of the stream lists.
fn devices(stream: &[u8]) -> Option<u64> {
    let starts = (0..stream.len().saturating_sub(BEFORE_DESCRIPTION)).rev();
    let found = starts.filter_map(|at| {
        let length = <[u8; 4]>::try_from(stream.get(at + 1..at + BEFORE_DESCRIPTION)?).ok()?;
        let description = &stream[at + BEFORE_DESCRIPTION..];
        let fits = stream[at] == MARK && u32::from_be_bytes(length) as usize == description.len();
        fits.then_some(description)
    });
    let mut devices = found.filter_map(|description| {
        let parsed: Value = serde_json::from_slice(description).ok()?;
        Some(parsed.get("devices")?.as_array()?.len() as u64)
    });
    devices.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_at_the_end_is_found_if_it_is_whole() {
        let description = br#"{"page_size": 4096, "devices": [{}, {}]}"#;
        let mut stream = b"QEVM\0\0\0\x03......\x06\0\0\0".to_vec();
        stream.push(description.len() as u8);
        stream.extend(description);
        assert_eq!(devices(&stream), Some(2));
        assert_eq!(devices(&stream[..stream.len() - 1]), None);
        assert_eq!(devices(b""), None);
    }
}
