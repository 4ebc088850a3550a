//! The hosts' own `qemu-img` and `qemu-io`: images are made and compared by them, on their host.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
};

use migratrix_contract::{Recorder, ToolSaid, write_to_image, written_image};
use migratrix_guest::DiskSurvey;
use migratrix_history::{Observation, Side};
use migratrix_matrix::{Drive, Write};

use crate::{Error, LibvirtDriver};

/// What one sector is overwritten with.
const SECTOR: Write = Write {
    pattern: 0x77,
    offset: 0,
    length: 512,
};

fn name(file: &str) -> String {
    file.rsplit('/').next().unwrap_or(file).to_owned()
}

impl LibvirtDriver<'_> {
    async fn run(&self, side: Side, words: &[&str]) -> Result<ToolSaid, Error> {
        let host = self.host(side);
        let failed = |source| Error::Host {
            what: "can't run a tool",
            host: host.release().to_string(),
            source,
        };
        let command = host.command(words).map_err(failed)?;
        let command = command.ok_or_else(|| Error::NotOurs(host.release().to_string()))?;
        ToolSaid::of(command.into()).await.map_err(failed)
    }

    /// Runs a tool that must do what it is told.
    pub(super) async fn tool(&self, side: Side, words: &[&str]) -> Result<(), Error> {
        let ToolSaid { status, text } = self.run(side, words).await?;
        if status == 0 {
            return Ok(());
        }
        Err(Error::Tool {
            command: words.join(" "),
            status,
            text,
        })
    }

    /// Writes to a qcow2 image that no QEMU has.
    pub(super) async fn write_offline(
        &self,
        side: Side,
        file: &str,
        writes: &[Write],
    ) -> Result<(), Error> {
        let commands: Vec<String> = writes.iter().map(Write::command).collect();
        let mut words = vec!["qemu-io", "-f", "qcow2"];
        words.extend(commands.iter().flat_map(|command| ["-c", command]));
        words.push(file);
        self.tool(side, &words).await
    }

    /// Overwrites the first sector of a backup's image.
    pub(super) async fn overwrite(&self, name: &str) -> Result<(), Error> {
        let file = self.shared(name);
        self.write_offline(Side::Source, &file, &[SECTOR]).await
    }

    /// Puts a backup's image onto another one without looking at either (`rebase -u`).
    pub(super) async fn lay_onto(&self, side: Side, name: &str, onto: &str) -> Result<(), Error> {
        let (name, onto) = (self.shared(name), self.shared(onto));
        let words = [
            "qemu-img", "rebase", "-f", "qcow2", "-u", "-b", &onto, "-F", "qcow2", &name,
        ];
        self.tool(side, &words).await
    }

    /// Records the sectors of an image that the guest stamps, if it stamps some.
    pub(super) async fn survey_image(
        &self,
        side: Side,
        file: &str,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let Some(disk) = self.subject.guest.disk else {
            return Ok(());
        };
        let flat = self.shared("flat");
        let words = [
            "qemu-img", "convert", "-f", "qcow2", "-O", "raw", file, &flat,
        ];
        self.tool(side, &words).await?;
        let path = self.path(side, &flat)?;
        let image = File::open(&path);
        let survey = image.and_then(|image| {
            DiskSurvey::of_image(&disk, |bytes, place| image.read_exact_at(bytes, place))
        });
        let survey = survey.and_then(|survey| fs::remove_file(&path).map(|()| survey));
        record.saw(Observation::Sectors {
            side,
            image: name(file),
            survey: survey.map_err(|source| Error::File { path, source })?,
        });
        Ok(())
    }

    /// Keeps what is written to the disk, in an image of ours that both sides share.
    pub(super) fn keep_written(&self, side: Side, writes: &[Write]) -> Result<(), Error> {
        let path = self.path(side, &self.written())?;
        let written = write_to_image(&path, Drive::SIZE, writes);
        written.map_err(|source| Error::File { path, source })
    }

    fn written(&self) -> String {
        self.shared(&written_image(Drive::First))
    }

    /// Compares an image of the disk with what was written to it until now. What a guest writes is its own
    /// affair.
    pub(super) async fn compare_with_written(
        &self,
        sides: &[Side],
        image: &str,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        if self.subject.guest.disk.is_some() {
            return Ok(());
        }
        let written = self.written();
        self.compare(sides, image, (&written, "raw"), record).await
    }

    /// Compares two images, the other one of this format, with the tool of each release among these sides'.
    pub(super) async fn compare(
        &self,
        sides: &[Side],
        one: &str,
        (other, format): (&str, &str),
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let words = [
            "qemu-img", "compare", "-f", "qcow2", "-F", format, one, other,
        ];
        let same = self.source.release() == self.destination.release();
        let sides = if same { &sides[..1] } else { sides };
        for side in sides {
            let ToolSaid { status, text } = self.run(*side, &words).await?;
            record.saw(Observation::Compared {
                side: *side,
                one: name(one),
                other: name(other),
                status,
                told: text,
            });
        }
        Ok(())
    }
}
