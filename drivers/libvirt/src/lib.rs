//! The libvirt back end: steps become requests to a client process, and what it says is recorded.
//!
//! ```text
//!   Step ─▶ LibvirtDriver ─▶ Client ◀══ requests, answers ══▶ client process ─▶ libvirt of one release
//!                │  ▲
//!                │  └─ Listener ◀════════ events ════════════ client process ─▶ libvirt of one release
//!                ▼
//!             Recorder
//! ```
//!
//! The process links libvirt and nothing here does: a crash or a hang of the client library ends
//! one step, as unknown, and the next case gets a new process.

mod beat;
mod chain;
mod channels;
mod client;
mod driver;
mod element;
mod error;
mod fault;
mod identity;
mod image;
mod listener;
mod looks;
mod machine;
mod metered;
mod migrate;
mod program;
mod qemu;
mod qtest;
mod reach;
mod recovery;
mod slot;
mod ticks;
mod xml;

pub use client::Client;
pub use driver::LibvirtDriver;
pub use error::Error;
pub use listener::Listener;
pub use metered::{clients_time, ended_clients_time};
pub use migratrix_client::protocol::MARK as CLIENT_MARK;
pub use program::Program;
pub use reach::{Reached, reach};
pub use slot::Slot;
pub use xml::domain_xml;
