//! What only the domain's QEMU can be asked or told: its nodes, its bitmaps, and writes.

use std::fs;

use migratrix_client::wire::{Op, Said};
use migratrix_contract::Recorder;
use migratrix_history::{BitmapInfo, BlockNode, Observation, Side, When};
use migratrix_matrix::{DirtyBitmap, Drive, WriteSet};
use serde_json::{Value, json};

use super::disks;
use crate::{Error, LibvirtDriver};

/// How many sectors the guest writes before it is called writing.
const LAPS: u32 = 8;

impl LibvirtDriver<'_> {
    /// What QEMU says to a command of the machine's monitor.
    async fn monitor(
        &mut self,
        side: Side,
        command: &str,
        arguments: Value,
    ) -> Result<Value, Error> {
        let line = json!({ "execute": command, "arguments": arguments }).to_string();
        let said = self.say(side, line, false).await?;
        let mut said: Value =
            serde_json::from_str(&said).map_err(|error| Error::Monitor(error.to_string()))?;
        match said.get_mut("return") {
            Some(answer) => Ok(answer.take()),
            None => Err(Error::Monitor(said.to_string())),
        }
    }

    /// What QEMU says to a command, or to a line of the `human` monitor.
    pub(crate) async fn say(
        &mut self,
        side: Side,
        command: String,
        human: bool,
    ) -> Result<String, Error> {
        let op = Op::Monitor {
            side,
            domain: self.subject.domain.clone(),
            command,
            human,
        };
        let Said::Text(said) = self.on(side).await?.ask(op).await? else {
            return Err(Error::Malformed("monitor"));
        };
        Ok(said)
    }

    pub(super) async fn nodes(&mut self, side: Side) -> Result<Vec<BlockNode>, Error> {
        let command = "query-named-block-nodes";
        let said = self.monitor(side, command, json!({ "flat": true })).await?;
        serde_json::from_value(said).map_err(|error| Error::Monitor(error.to_string()))
    }

    /// The node of the domain's disk.
    async fn node(&mut self, side: Side) -> Result<BlockNode, Error> {
        let disk = self.disk();
        let mut nodes = self.nodes(side).await?.into_iter();
        let node = nodes.find(|node| node.drv == "qcow2" && node.file == disk);
        node.ok_or_else(|| Error::Monitor(format!("no node has `{disk}`")))
    }

    /// Records the bitmaps of the disk.
    pub(super) async fn look_at_bitmaps(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let node = self.node(side).await?;
        let mut bitmaps: Vec<BitmapInfo> = node.bitmaps(Drive::First.name());
        bitmaps.sort_by(|one, other| one.name.cmp(&other.name));
        record.saw(Observation::Bitmaps { side, bitmaps });
        Ok(())
    }

    pub(super) async fn clear_bitmap(
        &mut self,
        side: Side,
        bitmap: DirtyBitmap,
    ) -> Result<(), Error> {
        let node = self.node(side).await?.node_name;
        let which = json!({ "node": node, "name": bitmap.name() });
        self.monitor(side, "block-dirty-bitmap-clear", which)
            .await?;
        Ok(())
    }

    /// Writes, and flushes, through the human monitor. Its answer is empty even where a write fails:
    /// QEMU tells the outcome on its standard output, which libvirt keeps as the domain's log.
    pub(super) async fn write(
        &mut self,
        side: Side,
        drive: Drive,
        set: WriteSet,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        for write in set.writes(drive) {
            let before = self.log(side)?.len();
            self.qemu_io(side, &write.command()).await?;
            let told = self.log(side)?;
            let told = String::from_utf8_lossy(told.get(before..).unwrap_or_default()).into_owned();
            record.saw(Observation::written(
                side,
                drive,
                &write,
                told.lines().next().unwrap_or_default().to_owned(),
            ));
            self.keep_written(side, &[write])?;
        }
        self.qemu_io(side, "flush").await
    }

    async fn qemu_io(&mut self, side: Side, words: &str) -> Result<(), Error> {
        let line = format!("qemu-io -d {} \"{words}\"", disks::BACKEND);
        self.say(side, line, true).await.map(drop)
    }

    /// Lets the guest write for some laps.
    pub(super) async fn guest_writes(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let laps = self.heartbeat(side).await?.laps(LAPS).await?;
        record.saw(laps.observation(side, When::Writing));
        Ok(())
    }

    fn log(&self, side: Side) -> Result<Vec<u8>, Error> {
        let log = format!("/var/log/libvirt/qemu/{}.log", self.subject.domain);
        let path = self.path(side, &log)?;
        fs::read(&path).map_err(|source| Error::File { path, source })
    }
}
