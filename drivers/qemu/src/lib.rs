//! The raw back end: QEMU by its own protocols, QMP and qtest, with no libvirt between.
//!
//! ```text
//!   Step ─▶ QemuDriver ─▶ two Parties, each with a Qemu ─▶ Observations
//! ```
//!
//! How a QEMU is started, asked and spoken to is `migratrix-qmp`'s.

mod address;
mod backup;
mod beat;
mod certificates;
mod channels;
mod colo;
mod configure;
mod cpr;
mod credentials;
mod devices;
mod driver;
mod faults;
mod gates;
mod looks;
mod machine;
mod party;
mod pci;
mod postcopy;
mod progress;
mod scratch;
mod start;
mod stream;
mod trail;
mod transport;
mod trouble;
mod virtio;
mod wait;
mod work;

pub use driver::QemuDriver;
pub use gates::lacking;
pub use machine::machine;
pub use migratrix_qmp::{Abilities, AbilityCache, Binary};
pub use party::RawHost;
