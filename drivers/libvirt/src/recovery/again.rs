//! What strikes once more: a daemon that was started again is killed again, and a guest that migrates is asked to.

use std::time::Instant;

use migratrix_client::wire::Op;
use migratrix_contract::Recorder;
use migratrix_history::{Deed, Observation, Side};
use migratrix_matrix::Strike;

use super::call::{Asked, Sent};
use crate::{Error, LibvirtDriver, xml::usb_disk};

impl LibvirtDriver<'_> {
    /// Asks for a plain migration of the guest, beside the one that is under way.
    pub(super) async fn migrates_again(
        &mut self,
        strike: Strike,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let point = self.struck()?;
        self.on(Side::Destination).await?;
        let client = self.on(Side::Source).await?;
        let migration = self.plainly(point.control(), point.retry().call(None));
        let sent = Sent::new(async move { client.ask(Op::Migrate(migration)).await });
        let asked = Asked {
            sent,
            strike: strike.word(),
            call: "migrate",
            side: Side::Source,
        };
        self.has_asked(asked, record).await
    }

    /// Asks for a device to be attached to the guest, beside the migration that is under way.
    pub(super) async fn attaches(
        &mut self,
        strike: Strike,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let client = self.on(Side::Source).await?;
        let attach = Op::Attach {
            side: Side::Source,
            domain: self.subject.domain.clone(),
            device: usb_disk(&self.subject).to_string(),
        };
        let asked = Asked {
            sent: Sent::new(async move { client.ask(attach).await }),
            strike: strike.word(),
            call: "attach-device",
            side: Side::Source,
        };
        self.has_asked(asked, record).await
    }

    /// Kills the daemon of a side, and the one that is started in its place, and records the first.
    pub(super) async fn kill_daemon_twice(
        &mut self,
        side: Side,
        strike: Strike,
        record: &mut Recorder,
    ) -> Result<Deed, Error> {
        let began = Instant::now();
        let deed = self.kill_daemon(side).await?;
        record.saw(Observation::Struck {
            strike: strike.word().to_owned(),
            side: Some(side),
            began_us: record.at_us(began),
            deed,
        });
        self.start_daemon(side).await?;
        self.kill_daemon(side).await
    }
}
