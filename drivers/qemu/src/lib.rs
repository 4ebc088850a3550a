//! The raw back end: QEMU by its own protocols, QMP and qtest, with no libvirt between.
//!
//! ```text
//!   Step ─▶ QemuDriver ─▶ two Parties, each with a Qemu ─▶ Observations
//! ```
//!
//! How a QEMU is started, asked and spoken to is `migratrix-qmp`'s.

mod arch;
mod backup;
mod colo;
mod devices;
mod driver;
mod error;
mod faults;
mod gates;
mod inspect;
mod launch;
mod machine;
mod migration;
mod party;
mod recipe;
mod scratch;
mod transport;
mod words;

pub use driver::QemuDriver;
pub use gates::unmet;
pub use machine::machine;
pub use migratrix_qmp::{Binary, QemuCaps, QemuCapsCache};
pub use party::RawHost;
pub use recipe::{NoRecipe, Recipe};
