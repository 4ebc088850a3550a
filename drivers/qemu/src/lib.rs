//! The raw back end: QEMU by its own protocols, QMP and qtest, with no libvirt between.
//!
//! ```text
//!   Binary ─▶ Launch ─▶ Qemu ─┬─▶ Qmp ─▶ answers, Events
//!     │                       └─▶ Qtest ─▶ memory, ports
//!     └─▶ Abilities (one start, then a cache)
//! ```
//!
//! What QEMU refuses is an answer ([`QmpError`]); a [`QemuError`] means that we could not ask, or
//! that nothing sensible came back.

mod abilities;
mod base64;
mod binary;
mod cache;
mod deadline;
mod entity;
mod error;
mod frame;
mod launch;
mod lines;
mod link;
mod message;
mod qmp;
mod qtest;
mod schema;
mod stderr;

pub use abilities::{Abilities, Machine, QapiEnum};
pub use binary::Binary;
pub use cache::AbilityCache;
pub use deadline::Deadline;
pub use entity::Member;
pub use error::{Ending, QemuError};
pub use launch::{Launch, Qemu};
pub use lines::{Irq, Level};
pub use message::{Answer, Event, Greeting, QmpError};
pub use qmp::{Events, Qmp};
pub use qtest::{Endianness, Qtest, Width};
pub use schema::{Root, Schema};
