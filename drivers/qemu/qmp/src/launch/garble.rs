//! Garbling what comes over a connection, on purpose.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The switch of a [`Garbled`] connection. It is off at first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Garbling(Arc<AtomicBool>);

/// A connection whose incoming bytes are garbled once the switch is on.
#[derive(Debug)]
pub(crate) struct Garbled<S> {
    stream: S,
    garbling: Garbling,
}

impl Garbling {
    /// Puts this switch on `stream`.
    pub(crate) fn over<S>(&self, stream: S) -> Garbled<S> {
        let garbling = self.clone();
        Garbled { stream, garbling }
    }

    /// Switches it on for good.
    pub(crate) fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Garbled<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer));
        if self.garbling.is_on() {
            let news = &mut buffer.filled_mut()[before..];
            news.iter_mut().for_each(|byte| *byte ^= 0x15);
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Garbled<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
