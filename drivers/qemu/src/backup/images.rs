//! The release's own `qemu-img` and `qemu-io`: images are made and compared by them.

use migratrix_contract::{Recorder, ToolSaid, write_to_image, written_image};
use migratrix_history::{Observation, Side};
use migratrix_matrix::{Backup, Clusters, Drive, Link, Target, Write, Writer};
use migratrix_qmp::QemuError;
use tokio::process::Command;

use crate::{QemuDriver, error::StepError};

/// How an image is made.
pub(super) struct Shape<'a> {
    pub format: &'static str,
    /// In bytes.
    pub size: u64,
    pub clusters: Clusters,
    /// The qcow2 image that it lies on.
    pub onto: Option<&'a str>,
}

/// The format of the case's targets.
pub(super) const fn format(case: &Backup) -> &'static str {
    match case.target {
        Target::Qcow2 => "qcow2",
        Target::Raw => "raw",
    }
}

/// The file that a link is written to: a raw image takes all of its chain.
pub(super) fn file(case: &Backup, link: Link) -> String {
    match case.target {
        Target::Qcow2 => link.file(),
        Target::Raw => link.drive.full(),
    }
}

impl QemuDriver {
    /// Runs a tool of the side's release.
    pub(super) async fn tool(
        &mut self,
        side: Side,
        name: &str,
        words: &[String],
    ) -> Result<ToolSaid, StepError> {
        let binary = self.party(side).host.binary.tool(name)?;
        let (program, first) = binary.words.split_first().expect("a binary has a word");
        let mut command = Command::new(program);
        command
            .args(first)
            .args(words)
            .envs(binary.environment.iter().cloned());
        let said = ToolSaid::of(command).await;
        Ok(said.map_err(|source| QemuError::Start {
            program: name.to_owned(),
            source,
        })?)
    }

    /// As [`QemuDriver::tool`], where the tool must do what it is told.
    pub(super) async fn tool_does(
        &mut self,
        side: Side,
        name: &'static str,
        words: &[String],
    ) -> Result<String, StepError> {
        let said = self.tool(side, name, words).await?;
        match said.status {
            0 => Ok(said.text),
            status => Err(StepError::Malformed {
                command: name,
                what: format!(
                    "{} and ends with {status}, of {}",
                    said.text,
                    words.join(" ")
                ),
            }),
        }
    }

    /// Makes an image in the case's folder.
    pub(super) async fn make_image(
        &mut self,
        side: Side,
        name: &str,
        shape: &Shape<'_>,
    ) -> Result<(), StepError> {
        let mut words = owned(&["create", "-f", shape.format]);
        if shape.clusters == Clusters::Larger {
            let size = shape.clusters.bytes();
            words.extend(["-o".to_owned(), format!("cluster_size={size}")]);
        }
        words.push(self.scratch.text(name));
        words.push(shape.size.to_string());
        if let Some(onto) = shape.onto {
            let onto = self.scratch.text(onto);
            words.extend(["-b", &onto, "-F", "qcow2"].map(str::to_owned));
        }
        self.tool_does(side, "qemu-img", &words).await?;
        Ok(())
    }

    /// Puts an image onto another one without looking at either (`rebase -u`).
    pub(super) async fn lay_onto(
        &mut self,
        side: Side,
        name: &str,
        onto: &str,
    ) -> Result<(), StepError> {
        let (name, onto) = (self.scratch.text(name), self.scratch.text(onto));
        let words = owned(&[
            "rebase", "-f", "qcow2", "-u", "-b", &onto, "-F", "qcow2", &name,
        ]);
        self.tool_does(side, "qemu-img", &words).await?;
        Ok(())
    }

    /// Writes to an image that no QEMU has.
    pub(super) async fn write_offline(
        &mut self,
        side: Side,
        name: &str,
        format: &str,
        writes: &[Write],
    ) -> Result<(), StepError> {
        let mut words = owned(&["-f", format]);
        for write in writes {
            words.extend(["-c".to_owned(), write.command()]);
        }
        words.push(self.scratch.text(name));
        self.tool_does(side, "qemu-io", &words).await?;
        Ok(())
    }

    /// Compares a link with its reference.
    pub(super) async fn compare_with_reference(
        &mut self,
        case: &Backup,
        side: Side,
        link: Link,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let format = format(case);
        let (one, other) = (file(case, link), link.reference());
        self.compare((&one, format), (&other, format), record)
            .await?;
        self.compare_with_written(case, link.drive, (&one, format), record)
            .await?;
        self.survey_image(side, &one, record).await
    }

    /// Compares an image of a disk with what was written to it until now. What a guest writes is its own
    /// affair.
    pub(super) async fn compare_with_written(
        &mut self,
        case: &Backup,
        drive: Drive,
        image: (&str, &str),
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        match case.writer {
            Writer::QemuIo => {
                self.compare(image, (&written_image(drive), "raw"), record)
                    .await
            }
            Writer::Guest => Ok(()),
        }
    }

    /// Keeps what is written to a disk, in an image of ours.
    pub(super) fn keep_written(
        &self,
        drive: Drive,
        size: u64,
        writes: &[Write],
    ) -> Result<(), StepError> {
        let path = self.scratch.path(&written_image(drive));
        let written = write_to_image(&path, size, writes);
        Ok(written.map_err(QemuError::file("write", path))?)
    }

    /// Compares two images, with the tool of each release.
    pub(super) async fn compare(
        &mut self,
        (one, format): (&str, &str),
        (other, other_format): (&str, &str),
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let (left, right) = (self.scratch.text(one), self.scratch.text(other));
        let words = owned(&["compare", "-f", format, "-F", other_format, &left, &right]);
        let sides: &[Side] = if self.source.host.binary == self.destination.host.binary {
            &[Side::Source]
        } else {
            &[Side::Source, Side::Destination]
        };
        for side in sides {
            let said = self.tool(*side, "qemu-img", &words).await?;
            record.saw(Observation::Compared {
                side: *side,
                one: one.to_owned(),
                other: other.to_owned(),
                status: said.status,
                told: said.text,
            });
        }
        Ok(())
    }
}

pub(super) fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A plain image of a disk's size.
pub(super) const fn plain(format: &'static str, size: u64) -> Shape<'static> {
    Shape {
        format,
        size,
        clusters: Clusters::Equal,
        onto: None,
    }
}

/// The disk itself, before anything has happened to it.
pub(super) const DISK: Shape<'static> = plain("qcow2", Drive::SIZE);
