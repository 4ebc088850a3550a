//! Passing on, from one connection to the other.

use std::{io, mem::take};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::watch,
    task::JoinSet,
};

use crate::{
    Way,
    ends::{Back, Front, Halves, Handle},
    tape::Tape,
    valve::{State, Valve},
};

/// How many bytes are read at a time.
pub(crate) const CHUNK: usize = 4096;

/// Takes connections, and passes on what comes over each.
pub(crate) async fn serve(front: Front, back: Back, tape: Tape, valve: Valve) -> io::Result<()> {
    let mut streams = JoinSet::new();
    loop {
        let near = front.accept().await?;
        let Ok(far) = back.connect().await else {
            continue;
        };
        couple(near, far, &tape, &valve, &mut streams);
    }
}

/// Passes on between two connections what comes from either.
pub(crate) fn couple(
    near: Halves,
    far: Halves,
    tape: &Tape,
    valve: &Valve,
    streams: &mut JoinSet<()>,
) {
    let connection = tape.begin();
    let handles = [near.handle, far.handle];
    let mut cuts = valve.cuts();
    let mut ways = JoinSet::new();
    for (way, from, to) in [
        (Way::Forward, near.from, far.to),
        (Way::Back, far.from, near.to),
    ] {
        let tape = tape.clone();
        let hear = move |bytes: &[u8]| tape.hear(connection, way, bytes);
        let cut = cuts.clone();
        ways.spawn(pass(from, to, way, hear, valve.clone(), cut));
    }
    let held = valve.hold();
    streams.spawn(async move {
        tokio::select! {
            biased;
            _ = cuts.changed() => {
                handles.into_iter().for_each(Handle::break_off);
                ways.shutdown().await;
            }
            () = async { while ways.join_next().await.is_some() {} } => {}
        }
        drop(held);
    });
}

/// Passes on what comes, until its end, until nobody takes it or until it is cut: what was held then is lost,
/// though it be opened right after.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    way: Way,
    hear: impl Fn(&[u8]),
    valve: Valve,
    cut: watch::Receiver<u32>,
) {
    let is_cut = || cut.has_changed().unwrap_or(true);
    let mut chunk = [0; CHUNK];
    let (mut before, mut kept) = (Vec::new(), Vec::new());
    loop {
        valve.until_taken(way).await;
        let read = tokio::select! {
            biased;
            () = valve.wait(way, State::Open), if !kept.is_empty() => {
                if is_cut() || valve.write(&mut to, &take(&mut kept), way).await.is_err() {
                    return;
                }
                continue;
            }
            read = from.read(&mut chunk) => read,
        };
        let Ok(read @ 1..) = read else {
            break;
        };
        hear(&chunk[..read]);
        if way == Way::Forward {
            valve.count(read as u64);
            valve.watch_for_cue(&mut before, &chunk[..read]);
        }
        kept.extend(&chunk[..read]);
        if valve.is(way, State::Kept) {
            continue;
        }
        valve.wait(way, State::Open).await;
        if is_cut() || valve.write(&mut to, &take(&mut kept), way).await.is_err() {
            return;
        }
    }
    valve.wait(way, State::Open).await;
    if is_cut() {
        return;
    }
    // The other end is gone as well then.
    drop(valve.write(&mut to, &kept, way).await);
    drop(to.shutdown().await);
}
