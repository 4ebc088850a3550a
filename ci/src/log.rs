//! What the program does, told while it does it: in the `migratrix.log` of a run's directory always,
//! and on the standard error where `-v` asks for it. Everybody says it by the macros of `tracing`; this
//! is where it goes.

use std::{
    fs::File,
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use indicatif::{ProgressBar, WeakProgressBar};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::say;

/// The run's log.
static LOG: Mutex<Log> = Mutex::new(Log::Nowhere);

/// The bar that is shown: what is told goes above it.
static BAR: Mutex<Option<WeakProgressBar>> = Mutex::new(None);

/// Where the lines of a run's log go.
enum Log {
    /// There is no run.
    Nowhere,
    /// The run has no directory yet: they wait for it.
    Ahead(Vec<u8>),
    /// Into the file.
    File(File),
}

/// Begins to tell: how much of it on the standard error says how often `-v` was given.
pub fn begin(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::OFF,
        1 => LevelFilter::INFO,
        2.. => LevelFilter::DEBUG,
    };
    let file = fmt::layer().with_target(false).with_ansi(false);
    let file = file.with_writer(|| ToLog).with_filter(LevelFilter::DEBUG);
    let error = fmt::layer().with_target(false).with_ansi(false);
    let error = error.without_time().with_writer(|| ToError);
    let layers = tracing_subscriber::registry().with(file);
    layers.with(error.with_filter(level)).init();
}

/// A run is to begin, whose directory is made later.
pub fn ahead() {
    *locked(&LOG) = Log::Ahead(Vec::new());
}

/// The run's log is this file, from now on and with what waits.
pub fn to(mut file: File) {
    let mut log = locked(&LOG);
    if let Log::Ahead(waiting) = &*log {
        // A run goes on without its log; a disk that is full is told by what is needed.
        drop(file.write_all(waiting));
    }
    *log = Log::File(file);
}

/// A bar is shown, as long as it is there.
pub fn beside(bar: &ProgressBar) {
    *locked(&BAR) = Some(bar.downgrade());
}

fn locked<T>(place: &'static Mutex<T>) -> std::sync::MutexGuard<'static, T> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes lines into the run's log.
struct ToLog;

impl Write for ToLog {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = entry(&String::from_utf8_lossy(line));
        match &mut *locked(&LOG) {
            Log::Nowhere => {}
            Log::Ahead(waiting) => waiting.extend(text.as_bytes()),
            Log::File(file) => drop(file.write_all(text.as_bytes())),
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes lines to the standard error, above the bar where one is shown.
struct ToError;

impl Write for ToError {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = entry(&String::from_utf8_lossy(line));
        let bar = locked(&BAR).as_ref().and_then(WeakProgressBar::upgrade);
        match bar {
            Some(bar) => bar.suspend(|| say::error(&text)),
            None => say::error(&text),
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is told at once, whose first line alone is not indented: so it can be told where it ends.
fn entry(text: &str) -> String {
    without_secrets(text.trim_end()).replace('\n', "\n    ") + "\n"
}

/// The text, without the name and the password that an address in it may have: `http://a:b@c` is
/// `http://***@c`.
fn without_secrets(text: &str) -> String {
    const BEFORE: &str = "://";
    let mut parts = text.split(BEFORE);
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c == '/' || c.is_whitespace());
        let place = &part[..end.unwrap_or(part.len())];
        let host = place.rfind('@').filter(|_| place.contains(':'));
        told += BEFORE;
        told += host.map_or("", |_| "***");
        told += &part[host.unwrap_or(0)..];
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_said_is_told_below_the_line_of_its_end() {
        let told = entry("WARN `sh` ended with 7:\nno such thing\nat all\n");
        assert_eq!(
            told,
            "WARN `sh` ended with 7:\n    no such thing\n    at all\n"
        );
    }

    #[test]
    fn a_password_in_an_address_is_not_told() {
        let told =
            without_secrets("deb http://me:s@cret@m.example/debian sid; qemu+ssh://me@h/system\n");
        assert_eq!(
            told,
            "deb http://***@m.example/debian sid; qemu+ssh://me@h/system\n"
        );
        for plain in ["", "no address", "http://m/a:b@c", "at 1://"] {
            assert_eq!(without_secrets(plain), plain);
        }
    }
}
