//! The script of a case of libvirt: `virsh`, and nothing else.

use migratrix_guest::Parameters;
use migratrix_matrix::{
    Activity, Call, Control, Expectation, Persistence, Preparation, Scenario, shell_word,
};

use super::{
    NoScript, Origin,
    head::CALL_LIBVIRT,
    template::{end_of, filled, image_text},
};

/// What a script of a case of libvirt is made of.
#[derive(Clone, Copy, Debug)]
pub struct LibvirtRecipe<'r> {
    /// Where it comes from.
    pub origin: Origin<'r>,
    /// What is done.
    pub scenario: &'r Scenario,
    /// How the migration is asked for.
    pub call: &'r Call,
    /// What the domain is called.
    pub domain: &'r str,
    /// The domain.
    pub xml: &'r str,
    /// Where the XML has the boot image.
    pub image_path: &'r str,
    /// The boot image.
    pub image: &'r [u8],
    /// The guest.
    pub guest: &'r Parameters,
}

const TEMPLATE: &str = include_str!("libvirt.sh");

/// How long the migration may take, and how long a guest may go without a lap that runs, in seconds.
const DEADLINE: u32 = 120;
const TRIES: u32 = 5;

impl LibvirtRecipe<'_> {
    /// The script.
    ///
    /// # Errors
    /// Says why there can be none.
    pub fn script(&self) -> Result<String, NoScript> {
        self.origin.may_be_shown()?;
        let should = "virsh migrate succeeds, and what is looked at after it is as it should be";
        let head = self.origin.head(should, CALL_LIBVIRT);
        Ok(head + &filled(TEMPLATE, &self.values()?))
    }

    fn values(&self) -> Result<Vec<(&'static str, String)>, NoScript> {
        let (image, used) = image_text(self.image);
        let options = self.options()?.join(" ");
        let peer = match self.scenario.control {
            Control::Normal => "DST_URI",
            Control::P2p | Control::Tunnelled => "DST_PEER_URI",
        };
        Ok(vec![
            ("NAME", shell_word(self.domain)),
            ("IMAGE_PATH", shell_word(self.image_path)),
            ("IMAGE", image),
            ("PADDING", (self.image.len() - used).to_string()),
            ("START", format!("{:#x}", self.guest.start)),
            ("END", format!("{:#x}", self.guest.end)),
            ("LAP", format!("{:#x}", self.guest.lap_address())),
            ("TRIES", TRIES.to_string()),
            ("DEADLINE", DEADLINE.to_string()),
            ("XML_END", end_of(self.xml, "END")),
            ("XML", self.xml.trim_end().to_owned()),
            ("PREPARE", self.prepare()),
            ("MIGRATE_TOLD", format!("{options} $NAME ${peer}")),
            ("MIGRATE", format!("{options} \"$NAME\" \"${peer}\"")),
            ("CHECKS", checks(&self.scenario.expectation())),
        ])
    }

    /// The options of `virsh migrate`.
    fn options(&self) -> Result<Vec<String>, NoScript> {
        let flag = |name: &&'static str| match *name {
            "VIR_MIGRATE_LIVE" => Ok("--live".to_owned()),
            "VIR_MIGRATE_PEER2PEER" => Ok("--p2p".to_owned()),
            "VIR_MIGRATE_TUNNELLED" => Ok("--tunnelled".to_owned()),
            "VIR_MIGRATE_PERSIST_DEST" => Ok("--persistent".to_owned()),
            "VIR_MIGRATE_UNDEFINE_SOURCE" => Ok("--undefinesource".to_owned()),
            "VIR_MIGRATE_PAUSED" => Ok("--suspend".to_owned()),
            "VIR_MIGRATE_PARALLEL" => Ok("--parallel".to_owned()),
            other => Err(NoScript::NoOption(other.to_owned())),
        };
        let parameter = |(name, number): &(&'static str, u32)| match *name {
            "bandwidth" => Ok(format!("--bandwidth {number}")),
            "parallel.connections" => Ok(format!("--parallel-connections {number}")),
            other => Err(NoScript::NoOption(other.to_owned())),
        };
        let flags = self.call.flags.iter().map(flag);
        flags
            .chain(self.call.parameters.iter().map(parameter))
            .collect()
    }

    /// The commands that bring about the state that the scenario names.
    fn prepare(&self) -> String {
        let state = self.scenario.state;
        let mut lines = Vec::new();
        if state.preparation == Preparation::Defined {
            lines.push("domain | must dst define /dev/stdin || exit 2");
        }
        match state.persistence {
            Persistence::Persistent => lines.extend([
                "domain | must src define /dev/stdin || exit 2",
                "must src start \"$NAME\" </dev/null",
            ]),
            Persistence::Transient => lines.push("domain | must src create /dev/stdin || exit 2"),
        }
        // A lap, and a second one: what is in memory before may change as well.
        let boots = "{ [ \"$(guest src)\" = 'goes on' ] && [ \"$(guest src)\" = 'goes on' ]; } || {\n    \
             echo 'NOT TRIED: the guest does not begin' >&2\n    exit 2\n}";
        lines.push(boots);
        if state.activity == Activity::Paused {
            lines.push("must src suspend \"$NAME\" </dev/null");
        }
        lines.join("\n")
    }
}

/// What is looked at when the call has returned.
fn checks(expected: &Expectation) -> String {
    let source = if expected.source_config {
        "shut off"
    } else {
        "absent"
    };
    let (state, guest) = match expected.destination_activity {
        Activity::Running => ("running", "goes on"),
        Activity::Paused => ("paused", "stands still"),
    };
    let persistent = if expected.destination_config {
        "yes"
    } else {
        "no"
    };
    [
        format!("is 'the domain on the source' \"$(state src)\" '{source}'"),
        format!("is 'the domain on the destination' \"$(state dst)\" {state}"),
        format!("is 'its persistence on the destination' \"$(persistent dst)\" {persistent}"),
        format!("is 'the guest on the destination' \"$(guest dst)\" '{guest}'"),
    ]
    .join("\n")
}
