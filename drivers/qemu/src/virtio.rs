//! The case's device: looked at, and used.

use migratrix_contract::Recorder;
use migratrix_history::{Side, When};

use crate::{QemuDriver, trouble::Trouble};

impl QemuDriver {
    /// Uses the case's device, and records what it did.
    pub(crate) async fn use_device(
        &mut self,
        _side: Side,
        _when: When,
        _record: &mut Recorder,
    ) -> Result<(), Trouble> {
        Ok(())
    }

    /// Changes a register of the case's device behind its driver's back.
    pub(crate) async fn disturb_device(&mut self, _side: Side) -> Result<(), Trouble> {
        Err(Trouble::Unfit("it has no device"))
    }
}
