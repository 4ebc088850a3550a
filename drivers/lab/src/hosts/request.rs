//! What the first process of a host is asked for while the host runs: lines on its lifeline.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Request {
    /// Start the daemon again, which has ended.
    StartDaemon,
    /// Hide this folder behind a file system that is full.
    Fill(PathBuf),
    /// Take that away again.
    Empty(PathBuf),
}

/// The requests of a lifeline, of which a piece at a time comes.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    begun: Vec<u8>,
}

impl Request {
    /// Its line.
    pub(crate) fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("a request has text keys only");
        line.push(b'\n');
        line
    }
}

impl Requests {
    /// The requests whose lines end in these bytes.
    pub(crate) fn of(&mut self, bytes: &[u8]) -> Vec<Result<Request, serde_json::Error>> {
        self.begun.extend(bytes);
        let Some(end) = self.begun.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let whole: Vec<u8> = self.begun.drain(..=end).collect();
        let lines = whole.split(|byte| *byte == b'\n');
        let lines = lines.filter(|line| !line.is_empty());
        lines.map(serde_json::from_slice).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_whose_line_comes_in_pieces_and_a_bad_one_spoils_no_other() {
        let fill = Request::Fill("/run/a b".into());
        let lines = [
            &fill.line()[..],
            b"nonsense\n",
            &Request::StartDaemon.line(),
        ]
        .concat();
        let mut requests = Requests::default();
        let (first, rest) = lines.split_at(9);
        assert!(requests.of(first).is_empty());
        let read = requests.of(rest);
        assert_eq!(read[0].as_ref().unwrap(), &fill);
        assert!(read[1].is_err());
        assert_eq!(read[2].as_ref().unwrap(), &Request::StartDaemon);
        assert!(requests.of(b"").is_empty());
    }
}
