//! The end of what a process wrote to its standard error.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::{io::AsyncReadExt, process::ChildStderr, sync::watch, task::JoinHandle};

/// How much is kept, in bytes.
const KEPT: usize = 16 << 10;

/// The standard error of a process, which a task reads until this is dropped.
#[derive(Debug)]
pub(crate) struct Stderr {
    output: Arc<Mutex<Output>>,
    task: JoinHandle<()>,
    /// Its other end is gone once all has been read.
    open: watch::Receiver<()>,
}

/// What has been read so far.
#[derive(Debug, Default)]
struct Output {
    tail: Vec<u8>,
    /// How much came before the tail, in bytes.
    cut: usize,
}

impl Stderr {
    /// Begins to read.
    pub(crate) fn new(pipe: ChildStderr) -> Self {
        let output = Arc::<Mutex<Output>>::default();
        let (hold, open) = watch::channel(());
        let task = tokio::spawn(keep(pipe, Arc::clone(&output), hold));
        Self { output, task, open }
    }

    /// The end of what has been written so far.
    pub(crate) fn tail(&self) -> String {
        let output = lock(&self.output);
        String::from_utf8_lossy(&output.tail).trim().to_owned()
    }

    /// How much of it is not kept, in bytes.
    pub(crate) fn cut(&self) -> usize {
        lock(&self.output).cut
    }

    /// Waits until all has been read of a process that has ended, but no longer than `grace`: its
    /// children may hold the pipe open.
    pub(crate) async fn rest(&self, grace: Duration) -> String {
        let mut open = self.open.clone();
        // Nothing is ever sent: what comes is the end.
        drop(tokio::time::timeout(grace, open.changed()).await);
        self.tail()
    }
}

impl Drop for Stderr {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(output: &Mutex<Output>) -> MutexGuard<'_, Output> {
    output
        .lock()
        .expect("nothing panics while it holds the lock")
}

async fn keep(mut pipe: ChildStderr, output: Arc<Mutex<Output>>, _hold: watch::Sender<()>) {
    let mut piece = vec![0; 4096];
    while let Ok(length @ 1..) = pipe.read(&mut piece).await {
        let mut output = lock(&output);
        output.tail.extend_from_slice(&piece[..length]);
        let excess = output.tail.len().saturating_sub(KEPT);
        output.tail.drain(..excess);
        output.cut += excess;
    }
}
