//! Hosts: a release's root that runs, in namespaces of its own, and what may be asked of it.

pub(crate) mod control;
pub(crate) mod folders;
pub(crate) mod hooks;
pub(crate) mod host;
pub(crate) mod hosted;
pub(crate) mod inventory;
pub(crate) mod leftovers;
pub(crate) mod listeners;
pub(crate) mod mounts;
pub(crate) mod net;
pub(crate) mod ports;
pub(crate) mod processes;
pub(crate) mod remote;
pub(crate) mod request;
pub(crate) mod running;
pub(crate) mod settings;
pub(crate) mod spec;
pub(crate) mod supervisor;
pub(crate) mod watch;
