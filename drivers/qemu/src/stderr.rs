//! The end of what a process wrote to its standard error.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{io::AsyncReadExt, process::ChildStderr, task::JoinHandle};

/// How much is kept, in bytes.
const KEPT: usize = 16 << 10;

/// The standard error of a process, which a task reads until this is dropped.
#[derive(Debug)]
pub(crate) struct Stderr {
    tail: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<()>,
}

impl Stderr {
    /// Begins to read.
    pub(crate) fn new(pipe: ChildStderr) -> Self {
        let tail = Arc::<Mutex<Vec<u8>>>::default();
        let task = tokio::spawn(keep(pipe, Arc::clone(&tail)));
        Self { tail, task }
    }

    /// The end of what has been written so far.
    pub(crate) fn tail(&self) -> String {
        let tail = self
            .tail
            .lock()
            .expect("nothing panics while it holds the lock");
        String::from_utf8_lossy(&tail).trim().to_owned()
    }

    /// Waits until all has been read of a process that has ended, but no longer than `grace`: its
    /// children may hold the pipe open.
    pub(crate) async fn rest(&mut self, grace: Duration) -> String {
        if !self.task.is_finished() {
            drop(tokio::time::timeout(grace, &mut self.task).await);
        }
        self.tail()
    }
}

impl Drop for Stderr {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep(mut pipe: ChildStderr, tail: Arc<Mutex<Vec<u8>>>) {
    let mut piece = vec![0; 4096];
    while let Ok(length @ 1..) = pipe.read(&mut piece).await {
        let mut tail = tail.lock().expect("nothing panics while it holds the lock");
        tail.extend_from_slice(&piece[..length]);
        let excess = tail.len().saturating_sub(KEPT);
        tail.drain(..excess);
    }
}
