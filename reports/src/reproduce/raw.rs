//! The script of a raw case: two QEMUs that are started from `sh`, and what they are told by QMP.

use migratrix_guest::MAGIC;
use migratrix_history::History;
use migratrix_matrix::{End, Failure, Point, Raw};

use super::{
    NoScript, Origin,
    head::CALL_RAW,
    steps::steps,
    template::{arguments, end_of, filled, image_text},
};

/// What a script of a raw case is made of.
#[derive(Clone, Copy, Debug)]
pub struct RawRecipe<'r> {
    /// Where it comes from.
    pub origin: Origin<'r>,
    /// What was done and seen.
    pub history: &'r History,
    /// The guest's boot image.
    pub image: &'r [u8],
    /// The arguments of both QEMUs, but for their QMP.
    pub arguments: [&'r [String]; 2],
    /// The folder that is named in them, where the case has its files.
    pub folder: &'r str,
    /// How many bytes the case's disk has, where it has one.
    pub disk: Option<u64>,
}

const TEMPLATE: &str = include_str!("raw.sh");
const PLAYER: &str = include_str!("player.py");

impl RawRecipe<'_> {
    /// The script.
    ///
    /// # Errors
    /// Says why there can be none.
    pub fn script(&self) -> Result<String, NoScript> {
        let case = self.origin.case;
        self.origin.may_be_shown()?;
        let Point::Qemu(raw) = &case.point else {
            return Err(NoScript::Unfit {
                case: case.clone(),
                why: "it is none of QEMU alone",
            });
        };
        let steps = steps(self.history, raw);
        let should = match steps.is_whole {
            true => should(raw),
            false => "the last step comes to its end".to_owned(),
        };
        let head = self.origin.head(&should, CALL_RAW);
        Ok(head + &filled(TEMPLATE, &self.values(raw, steps.lines)))
    }

    fn values(&self, raw: &Raw, steps: String) -> Vec<(&'static str, String)> {
        let guest = &self.history.header.guest;
        let (image, _) = image_text(self.image);
        let [source, destination] = self.arguments;
        let line = |words, side| {
            let qmp = format!("-qmp \"unix:$DIR/{side}.qmp,server=on,wait=off\"");
            format!("{} \\\n    {qmp}", arguments(words, self.folder))
        };
        let disk = self.disk;
        let disk = disk.map(|bytes| format!("truncate -s {bytes} \"$DIR/disk\"\n"));
        vec![
            ("EMULATOR", raw.machine.arch().emulator().to_owned()),
            ("IMAGE", image),
            ("IMAGE_BYTES", self.image.len().to_string()),
            ("DISK", disk.unwrap_or_default()),
            ("SOURCE", line(source, "source")),
            ("DESTINATION", line(destination, "destination")),
            ("PYTHON_END", end_of(&steps, "END")),
            ("LAP", format!("{:#x}", guest.lap_address())),
            ("MARK", format!("{MAGIC:#x}")),
            ("START", format!("{:#x}", guest.start)),
            ("END", format!("{:#x}", guest.end)),
            ("PLAYER", PLAYER.trim_end().to_owned() + "\n"),
            ("STEPS", steps.trim_end().to_owned() + "\n"),
        ]
    }
}

/// What must come of a raw migration, in a sentence.
fn should(raw: &Raw) -> String {
    let why = match raw.expectation().end {
        End::Completed => {
            return "the migration completes, and the guest is on the destination".to_owned();
        }
        End::Cancelled => "it is cancelled",
        End::Refused => "the command is refused",
        End::Failed(Failure::Connection) => "it fails: nobody answers",
        End::Failed(Failure::Handshake) => "it fails: the two sides have no key in common",
        End::Failed(Failure::Hostname) => "it fails: the certificate is another host's",
        End::Failed(Failure::Authorization) => "it fails: the client is not admitted",
        End::Failed(Failure::Uuid) => "it fails: the UUIDs differ",
        End::Failed(Failure::Broken) => "it fails: the connection broke off",
    };
    format!("{why}, and the guest goes on on the source")
}
