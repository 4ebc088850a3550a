//! Releases to hosts: root file systems, namespaces, network.
//!
//! ```text
//!  Store ─▶ StoredRelease ─▶ Lab ─▶ LabHost (a contract::Host)
//!                                    inside the one sandbox
//! ```
//!
//! A program that uses the lab, or adds to the store, calls [`dispatch`] first, and
//! [`sandbox::enter`] before it makes a [`Lab`].

mod doctor;
mod error;
mod host;
mod hosted;
mod init;
mod jail;
mod keeper;
mod lab;
mod labs;
mod making;
mod mounts;
mod net;
mod ports;
mod privilege;
mod probe;
mod process;
mod recipe;
mod release;
mod remote;
mod residue;
mod running;
pub mod sandbox;
mod settings;
mod store;
mod unpack;
mod warm;

pub use doctor::{Finding, State, doctor};
pub use error::LabError;
pub use host::LabHost;
pub use hosted::{COMMAND, dispatch};
pub use lab::{Health, Lab};
pub use labs::{Hold, LabName, Labs, UpLab};
pub use recipe::{BuildOptions, Expired, RECIPES, Recipe, recipe};
pub use release::{FORMAT, Origin, Package, Record, StoredRelease, client_command};
pub use remote::RemoteHost;
pub use running::{RunningHost, enter_network, running_hosts};
pub use store::{Store, cache_folder};
pub use unpack::Contents;
