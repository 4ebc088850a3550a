//! A hypervisor in memory, which tests the tester: it does what libvirt's documentation says, and
//! can be told to commit one of the known [defects](Defect).
//!
//! ```text
//!   Step ─▶ FakeDriver ─▶ Host ×2 ─▶ its Guest: running, still, spoilt
//!                │
//!                └─▶ Passage: a migration as data ◀─ Defect
//! ```
//!
//! No time passes in it: a guest runs when it is looked at. The times in the history are real.

mod corrupt;
mod defect;
mod document;
mod driver;
mod guest;
mod host;
mod migration;
mod recovery;
mod refusal;
mod traffic;

pub use defect::Defect;
pub use driver::FakeDriver;
pub use recovery::RecoveryDefect;
