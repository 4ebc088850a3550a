//! Releases to hosts: root file systems, namespaces, network.
//!
//! ```text
//!  Store ─▶ StoredRelease ─▶ Lab ─▶ LabHost (a contract::Host)
//!                                    inside the one sandbox
//! ```
//!
//! A program that uses the lab, or adds to the store, calls [`dispatch`] first, and
//! [`sandbox::enter`] before it makes a [`Lab`].

mod capture;
mod doctor;
mod error;
mod hosts;
mod init;
mod lab;
mod labs;
mod privilege;
mod process;
mod releases;
pub mod sandbox;

pub use doctor::{Finding, State, doctor};
pub use error::LabError;
pub use hosts::{
    host::{LabHost, Strays},
    hosted::{COMMAND, dispatch},
    remote::RemoteHost,
    running::{RunningHost, enter_network, running_hosts},
};
pub use lab::{Health, Lab, Seat};
pub use labs::{Hold, LabName, Labs, UpLab};
pub use releases::{
    in_use::{InUse, Unused},
    recipe::{BuildOptions, Expired, Recipe, recipe, recipes},
    release::{FORMAT, Origin, Package, Record, StoredRelease, client_command},
    source::{Inventory, ReleaseSource, Tool},
    store::{SetAside, Stock, Store, cache_folder},
    unpack::Contents,
};
