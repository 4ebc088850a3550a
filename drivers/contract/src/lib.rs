//! What every back end obeys: the vocabulary of steps, the script of a case, the one loop that runs
//! it, and the deadlines.
//!
//! ```text
//!   Case ─▶ Script ─▶ run ─▶ History
//!                      │ ▲
//!             one Step ▼ │ its Outcome
//!                     Driver ─▶ Host
//! ```
//!
//! A driver does and records; it never judges. A refusal by the hypervisor is an [`Outcome`], and
//! so is a deadline that passed; nothing here is an error of ours.
//!
//! [`Outcome`]: migratrix_history::Outcome

mod clock;
mod command_line;
mod control;
mod driver;
mod kernel_file;
mod mappings;
mod processor;
mod ram;
mod record;
mod registers;
mod run;
mod script;
mod step;
mod threads;
mod told;
mod tool;
mod written;

pub use clock::{now_unix, now_unix_and_ms};
pub use command_line::{command_line, command_words};
pub use control::{
    Folder, Gate, HookPoint, HostControl, HostTask, Link, MONITORS, ProcessIdentity, Signalled,
};
pub use driver::{Driver, Host, Leftovers, Owner, SHARED, other_name};
pub use kernel_file::{read_all, read_kernel_file};
pub use processor::{Waits, processor_time, waited_for_processor};
pub use ram::GuestMemory;
pub use record::Recorder;
pub use registers::{REGISTERS, registers};
pub use run::{Deadlines, run};
pub use script::{Cpu, DomainSpec, LIVE_BANDWIDTH_MIB, Phase, Script, Subject};
pub use step::{BackupStep, ColoStep, Litter, Migrate, RawStep, RecoveryStep, Step, Uuid, Variant};
pub use threads::threads_named;
pub use told::told;
pub use tool::ToolSaid;
pub use written::{write_to_image, written_image};
