//! The raw back end: QEMU by its own protocols, QMP and qtest, with no libvirt between.
//!
//! ```text
//!   Binary ─▶ Launch ─▶ Qemu ─┬─▶ Qmp ─▶ answers, Events
//!     │                       └─▶ Qtest ─▶ memory, ports
//!     └─▶ Abilities (one start, then a cache)
//!
//!   Step ─▶ QemuDriver ─▶ two Parties, each with a Qemu ─▶ Observations
//! ```
//!
//! What QEMU refuses is an answer ([`QmpError`]); a [`QemuError`] means that we could not ask, or
//! that nothing sensible came back.

mod abilities;
mod account;
mod address;
mod backup;
mod base64;
mod beat;
mod binary;
mod cache;
mod certificates;
mod channels;
mod colo;
mod configure;
mod cpr;
mod credentials;
mod deadline;
mod devices;
mod driver;
mod entity;
mod error;
mod faults;
mod frame;
mod garble;
mod gates;
mod launch;
mod lines;
mod link;
mod looks;
mod machine;
mod message;
mod party;
mod pci;
mod postcopy;
mod progress;
mod qmp;
mod qtest;
mod schema;
mod scratch;
mod start;
mod stderr;
mod stream;
mod trail;
mod transport;
mod trouble;
mod virtio;
mod wait;
mod work;

pub use abilities::{Abilities, Machine, QapiEnum};
pub use binary::Binary;
pub use cache::AbilityCache;
pub use deadline::Deadline;
pub use driver::QemuDriver;
pub use entity::Member;
pub use error::{Ending, QemuError};
pub use gates::lacking;
pub use launch::{Launch, Qemu, Starting};
pub use lines::{Irq, Level};
pub use machine::machine;
pub use message::{Answer, Event, Greeting, QmpError};
pub use party::RawHost;
pub use qmp::{Events, Qmp};
pub use qtest::{Endianness, Qtest, Width};
pub use schema::{Root, Schema};
