//! How a case's two QEMUs are started, for one who starts them without this program.

use std::path::Path;

use migratrix_contract::Subject;
use migratrix_history::Side;
use migratrix_matrix::Version;
use thiserror::Error;

use crate::{QemuDriver, machine, scratch::Scratch};

/// The two command lines of a case, and the files that they name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The arguments of the source's QEMU.
    pub source: Vec<String>,
    /// The arguments of the destination's.
    pub destination: Vec<String>,
    /// The guest's boot image.
    pub image: Vec<u8>,
    /// How many bytes the case's disk has, where it has one.
    pub disk: Option<u64>,
}

/// Why there is no recipe of a case.
#[derive(Debug, Error)]
#[error("it can't be told how the QEMUs of the case are started: {0}")]
pub struct NoRecipe(String);

impl Recipe {
    /// How the QEMUs of these versions are started for a case. The files of the case are named in `folder`, in
    /// which nothing is left.
    ///
    /// # Errors
    /// Fails where no guest can be made, or the folder can't be.
    pub fn of(
        subject: &Subject,
        source: Version,
        destination: Version,
        folder: &Path,
    ) -> Result<Self, NoRecipe> {
        let scratch = Scratch::new(folder.to_owned());
        let told = |error: crate::error::StepError| NoRecipe(error.to_string());
        scratch.make().map_err(told)?;
        let arguments = |side, version| {
            let arguments = machine::arguments(subject, side, version, &scratch);
            arguments.map_err(told)
        };
        let mut from = arguments(Side::Source, source)?;
        from.extend(machine::held(&subject.raw).map(str::to_owned));
        let mut to = arguments(Side::Destination, destination)?;
        to.extend(QemuDriver::INCOMING.map(str::to_owned));
        Ok(Self {
            source: from,
            destination: to,
            image: subject
                .guest
                .boot_image()
                .map_err(|error| told(error.into()))?,
            disk: crate::devices::disk_bytes(subject.raw.devices),
        })
    }
}
