//! Checkpoint and restart (`docs/devel/migration/CPR.rst`): the new QEMU takes over what the old one
//! hands to it.

use migratrix_matrix::Method;

use crate::{QemuDriver, trouble::Trouble};

/// Whether the destination can't be started before the source hands its state over.
pub(crate) const fn hands_over(method: Method) -> bool {
    match method {
        Method::CprTransfer | Method::CprExec => true,
        Method::Precopy | Method::Postcopy | Method::CprReboot => false,
    }
}

impl QemuDriver {
    /// Begins to start the destination, which will answer when the source has handed its state over.
    pub(crate) async fn begin_launch(&mut self) -> Result<(), Trouble> {
        Err(Trouble::Unfit("no state is handed over"))
    }
}

/// A QEMU that has been started and does not answer yet.
#[derive(Debug)]
pub(crate) struct Pending;

impl QemuDriver {
    /// The channel by which the source hands its state over, if it does.
    pub(crate) fn handing_over(&self) -> Option<serde_json::Value> {
        None
    }

    /// Takes the destination in, once the source has handed its state over.
    pub(crate) async fn take_over(
        &mut self,
        _record: &mut migratrix_contract::Recorder,
    ) -> Result<(), Trouble> {
        Ok(())
    }
}
