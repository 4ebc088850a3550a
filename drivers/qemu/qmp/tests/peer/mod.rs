//! A peer that says what it is told to, whatever it hears.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};

/// What the peer does when it has said all.
#[derive(Clone, Copy, Debug)]
pub enum Then {
    Close,
    Hold,
}

/// One end of a pipe, at whose other end a peer says each of `pieces`, a line of ours after the other.
pub fn saying(pieces: Vec<Vec<u8>>, then: Then) -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    tokio::spawn(say(theirs, pieces, then));
    ours
}

async fn say(stream: DuplexStream, pieces: Vec<Vec<u8>>, then: Then) {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    for (place, piece) in pieces.into_iter().enumerate() {
        if place > 0 && stream.read_until(b'\n', &mut line).await.is_err() {
            return;
        }
        if stream.write_all(&piece).await.is_err() {
            return;
        }
    }
    match then {
        Then::Close => {}
        Then::Hold => std::future::pending().await,
    }
}

/// A clock that jumps to the next deadline as soon as nothing else is left to do.
pub fn with_a_jumping_clock<T>(test: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build().unwrap();
    runtime.block_on(test)
}

/// `pieces`, with `change` done to all their bytes in a row; each keeps its length as far as there are bytes.
pub fn changed(pieces: &[&str], change: impl FnOnce(&mut Vec<u8>)) -> Vec<Vec<u8>> {
    let mut bytes = pieces.concat().into_bytes();
    change(&mut bytes);
    let mut rest = bytes.as_slice();
    let pieces = pieces.iter().map(|piece| {
        let (head, tail) = rest.split_at(piece.len().min(rest.len()));
        rest = tail;
        head.to_vec()
    });
    pieces.collect()
}
