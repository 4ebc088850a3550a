//! Two guests in lock-step: what the pair is told, and how one of them is lost.

use migratrix_contract::{ColoStep, Recorder, Step};

use crate::{QemuDriver, trouble::Trouble};

impl QemuDriver {
    pub(crate) async fn colo(
        &mut self,
        step: ColoStep,
        _record: &mut Recorder,
    ) -> Result<(), Trouble> {
        Err(Trouble::Foreign(Step::Colo(step)))
    }
}
