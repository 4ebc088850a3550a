//! Chains of backups.

use migratrix_contract::{BackupStep, Recorder, Step};

use crate::{QemuDriver, trouble::Trouble};

impl QemuDriver {
    pub(crate) async fn backup(
        &mut self,
        step: BackupStep,
        _record: &mut Recorder,
    ) -> Result<(), Trouble> {
        Err(Trouble::Foreign(Step::Backup(step)))
    }
}
