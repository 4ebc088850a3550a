//! Why a request was not done.

use virt::error::Error;

/// Why a request was not done.
pub enum Failure {
    /// libvirt said so.
    Libvirt(Error),
    /// There was nothing to ask libvirt.
    Bad(String),
    /// The client library has no such function.
    Lacks(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Libvirt(error)
    }
}
