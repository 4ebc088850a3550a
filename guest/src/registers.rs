//! Where the guest stood when it was held still, by its processor's own registers.

use serde::{Deserialize, Serialize};

/// What the registers of the guest's processor say of the place where it was held still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Registers {
    /// The address of the instruction that comes next: `EIP`, from the base of `CS` on.
    pub next: u64,
    /// `EDI`, in which the guest keeps the sector that it stamps next.
    pub edi: u32,
    /// Whether the processor is halted.
    pub halted: bool,
}

/// Where the stamper stood, by the registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Between two laps: it waited, or did something else than stamping.
    Between,
    /// Within a lap: this sector would have been stamped next. At the range's end the lap was done.
    Before(u32),
    /// In code that is not the guest's own. That says nothing of the stamper.
    Elsewhere,
}
