//! A QEMU to talk to: it is started, asked what it can do, and spoken to by QMP and qtest. Nothing
//! here knows of cases.
//!
//! ```text
//!   Binary ─▶ Launch ─▶ Qemu ─┬─▶ Qmp ─▶ answers, Events
//!     │                       └─▶ Qtest ─▶ memory, ports
//!     └─▶ QemuCaps (one start, then a cache)
//! ```
//!
//! What QEMU refuses is an answer ([`QmpError`]); a [`QemuError`] means that we could not ask, or
//! that nothing sensible came back.

mod abilities;
mod deadline;
mod error;
mod launch;
mod qmp;
mod qtest;
mod status;

pub use abilities::{
    Machine, QapiEnum, QemuCaps,
    cache::QemuCapsCache,
    entity::Member,
    schema::{Root, Schema},
};
pub use deadline::Deadline;
pub use error::{Ending, QemuError};
pub use launch::{Launch, Starting, account::Account, binary::Binary, running::Qemu};
pub use qmp::{
    Events, Qmp,
    message::{Answer, Event, Greeting, QmpError},
};
pub use qtest::{
    Endianness, Qtest, Width,
    lines::{Irq, Level},
};
pub use status::{JobStatus, MigrationStatus, RunState};
