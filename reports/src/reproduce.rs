//! `migratrix reproduce`: a script that shows what came of a case without this program, for who keeps QEMU or
//! libvirt.
//!
//! ```text
//!  raw case      history ─▶ steps ─▶ two QEMUs from sh, and their QMP from a few lines of Python
//!  libvirt case  scenario ─────────▶ virsh
//! ```
//!
//! A script ends in 0 where the migration does as it should, in 1 where a failure shows, and in 2 where it
//! could not be tried.

mod fit;
mod head;
mod libvirt;
mod raw;
mod steps;
mod template;

pub use fit::{NoScript, can_be_shown};
pub use head::Origin;
pub use libvirt::LibvirtRecipe;
pub use raw::RawRecipe;

#[cfg(test)]
mod tests;
