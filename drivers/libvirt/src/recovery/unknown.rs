//! What a guest is made of that its own host knows, and the destination does not. The machine type is chosen by who runs
//! the case, the processor's model or feature here: by what the source's daemon offers, and by the map of processors from
//! which the destination's daemon knows all that it knows.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "three strikes are of what the guest is made of, and no other one comes here"
)]

use std::{collections::BTreeSet, fs, io, path::Path};

use migratrix_client::wire::{Detail, Op, Said};
use migratrix_contract::{Cpu, Subject};
use migratrix_history::{Deed, Side};
use migratrix_matrix::Strike;
use roxmltree::{Document, Node};

use crate::{Error, LibvirtDriver};
use Side::{Destination, Source};

/// The folder of libvirt's map of processors, and what the names of those of a PC begin with.
const CPU_MAP: &str = "/usr/share/libvirt/cpu_map";
const OF_PC: &str = "x86_";

/// libvirt's `VIR_ERR_INVALID_ARG`: how it is said that there is no such machine type.
const NO_SUCH_MACHINE: i32 = 8;

/// What of a processor is to be unknown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Model,
    Feature,
}

impl LibvirtDriver<'_> {
    /// Has the guest made of what the destination does not know. Says what there is not, where it knows all.
    pub(super) async fn choose_unknown(&mut self, strike: Strike) -> Result<Option<String>, Error> {
        let part = match strike {
            Strike::CpuModelUnknown => Part::Model,
            Strike::CpuFeatureUnknown => Part::Feature,
            _ => return Ok(None),
        };
        let known = self.map_of_destination(part)?;
        let machine = self.subject.machine.clone();
        let offered = part.offered(&self.capabilities(Source, machine).await?)?;
        let chosen = offered.into_iter().find(|name| !known.contains(name));
        let lack = chosen.is_none().then(|| {
            let (source, destination) = (self.source.release(), self.destination.release());
            part.all_known(source.as_str(), destination.as_str())
        });
        self.subject.cpu = chosen.map(|name| part.alone(name));
        Ok(lack)
    }

    /// Says who knows what the guest is made of: the source, where it has such a guest, and the destination, where it
    /// says so or its map has it.
    pub(super) async fn ask_who_knows(&mut self, strike: Strike) -> Result<Deed, Error> {
        let seen = self.seen(Source, Detail::Whole).await?;
        let xml = seen.and_then(|seen| seen.xml).unwrap_or_default();
        let (what, is_known) = match (strike, self.subject.cpu.clone()) {
            (Strike::MachineUnknown, _) => {
                let machine = self.subject.machine.clone();
                (machine.clone(), self.offers(Destination, machine).await?)
            }
            (_, Some(Cpu::Model(name))) => {
                let known = self.map_of_destination(Part::Model)?;
                (name.clone(), known.contains(&name))
            }
            (_, Some(Cpu::Without(name))) => {
                let known = self.map_of_destination(Part::Feature)?;
                (name.clone(), known.contains(&name))
            }
            (_, None) => {
                let none = Err(io::ErrorKind::NotFound.into());
                return self.broken(Destination, "can't find what is unknown", none);
            }
        };
        let has_it = is_made_of(&xml, strike, &what)?;
        let sides = [(Source, has_it), (Destination, is_known)].into_iter();
        let to = sides.filter(|(_, knows)| *knows).map(|(side, _)| side);
        Ok(Deed::Known {
            what,
            to: to.collect(),
        })
    }

    /// The domain as a side can have it: the destination's own configuration is of what it knows.
    pub(crate) fn subject_on(&self, side: Side) -> Subject {
        let mut subject = self.subject.clone();
        let strike = self.struck().map(|point| point.strike);
        if side == Destination {
            subject.cpu = None;
            if strike.is_ok_and(|strike| strike == Strike::MachineUnknown) {
                subject.machine = subject.point.machine().newest().to_owned();
            }
        }
        subject
    }

    /// What a host says of a machine type (`virConnectGetDomainCapabilities`).
    pub(crate) async fn capabilities(
        &mut self,
        side: Side,
        machine: String,
    ) -> Result<String, Error> {
        let asked = Op::Capabilities { side, machine };
        match self.on(side).await?.ask(asked).await? {
            Said::Text(xml) => Ok(xml),
            _ => Err(Error::Malformed("capabilities")),
        }
    }

    async fn offers(&mut self, side: Side, machine: String) -> Result<bool, Error> {
        match self.capabilities(side, machine).await {
            Ok(_) => Ok(true),
            Err(Error::Refused(refusal)) if refusal.code == NO_SUCH_MACHINE => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn map_of_destination(&self, part: Part) -> Result<BTreeSet<String>, Error> {
        let folder = self.path(Destination, CPU_MAP)?;
        let names = part.names_in(&folder);
        self.broken(Destination, "can't read the map of processors", names)
    }
}

impl Part {
    /// What it is called by libvirt.
    const fn tag(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Feature => "feature",
        }
    }

    /// A processor that is like others but for this.
    const fn alone(self, name: String) -> Cpu {
        match self {
            Self::Model => Cpu::Model(name),
            Self::Feature => Cpu::Without(name),
        }
    }

    /// What there is not on a host that knows it all.
    fn all_known(self, source: &str, destination: &str) -> String {
        match self {
            Self::Model => format!(
                "a CPU model that {destination} does not know: it knows all that {source} gives whole without KVM"
            ),
            Self::Feature => format!(
                "a CPU feature that {destination} does not know: it knows all that {source} has a name for"
            ),
        }
    }

    /// What a host offers, in the order in which it is to be taken. Of models these are those that its QEMU gives whole,
    /// for a guest of others would be described by the features that it lacks, which may be unknown as well. The last by
    /// name is one of QEMU's own, as `qemu64-v1`. Of features, those that its QEMU gives come first.
    fn offered(self, capabilities: &str) -> Result<Vec<String>, Error> {
        let document = Document::parse(capabilities)?;
        let cpu = child(document.root_element(), "cpu").ok_or(Error::XmlLacks("cpu"))?;
        let all = cpu
            .descendants()
            .filter(|node| node.has_tag_name(self.tag()));
        Ok(match self {
            Self::Model => {
                let whole = all.filter(|node| node.attribute("usable") == Some("yes"));
                let names: BTreeSet<String> = whole.filter_map(text).collect();
                names.into_iter().rev().collect()
            }
            Self::Feature => all.filter_map(|node| attribute(node, "name")).collect(),
        })
    }

    /// The names in a map of processors, with the other names of each.
    fn names_in(self, folder: &Path) -> io::Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        for file in fs::read_dir(folder)? {
            let file = file?;
            if file.file_name().to_string_lossy().starts_with(OF_PC) {
                let text = fs::read_to_string(file.path())?;
                let document = Document::parse(&text).map_err(io::Error::other)?;
                names.extend(self.names_of(document.root_element()));
            }
        }
        let is_empty = names.is_empty();
        (!is_empty)
            .then_some(names)
            .ok_or(io::ErrorKind::InvalidData.into())
    }

    fn names_of(self, cpus: Node<'_, '_>) -> Vec<String> {
        let own = cpus.children().filter(|node| node.has_tag_name(self.tag()));
        let others = |node: Node<'_, '_>| {
            let aliases = node.children().filter(|node| node.has_tag_name("alias"));
            let all = aliases.chain([node]);
            all.filter_map(|node| attribute(node, "name"))
                .collect::<Vec<_>>()
        };
        own.flat_map(others).collect()
    }
}

/// Whether a domain is made of that.
fn is_made_of(xml: &str, strike: Strike, what: &str) -> Result<bool, Error> {
    let document = Document::parse(xml)?;
    let domain = document.root_element();
    let cpu = child(domain, "cpu");
    Ok(match strike {
        Strike::MachineUnknown => {
            let kind = child(domain, "os").and_then(|os| child(os, "type"));
            kind.and_then(|kind| kind.attribute("machine")) == Some(what)
        }
        Strike::CpuModelUnknown => {
            let model = cpu.and_then(|cpu| child(cpu, "model"));
            model.and_then(text).as_deref() == Some(what)
        }
        _ => {
            let features = cpu.into_iter().flat_map(|cpu| cpu.children());
            let mut features = features.filter(|node| node.has_tag_name("feature"));
            features.any(|node| {
                node.attribute("name") == Some(what) && node.attribute("policy") == Some("disable")
            })
        }
    })
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn text(node: Node<'_, '_>) -> Option<String> {
    node.text().map(|text| text.trim().to_owned())
}

fn attribute(node: Node<'_, '_>, name: &str) -> Option<String> {
    node.attribute(name).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPABILITIES: &str = "<domainCapabilities><cpu>
      <mode name='host-model' supported='yes'><model fallback='forbid'>EPYC</model>
        <feature policy='require' name='new'/><feature policy='disable' name='old'/></mode>
      <mode name='custom' supported='yes'>
        <model usable='yes'>486-v1</model><model usable='yes'>qemu64-v1</model>
        <model usable='no'>zz-v1</model>
        <blockers model='zz-v1'><feature name='newest'/></blockers></mode>
      </cpu><features><feature name='of something else'/></features></domainCapabilities>";

    #[test]
    fn a_host_offers_the_models_that_it_gives_whole_and_the_features_that_it_has_names_for() {
        let models = Part::Model.offered(CAPABILITIES).unwrap();
        assert_eq!(models, ["qemu64-v1", "486-v1"]);
        let features = Part::Feature.offered(CAPABILITIES).unwrap();
        assert_eq!(features, ["new", "old", "newest"]);
        assert!(
            Part::Model
                .offered("<domainCapabilities><features/></domainCapabilities>")
                .is_err()
        );
    }

    #[test]
    fn a_map_has_the_models_and_the_features_of_its_files_by_all_their_names() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Part::Model.names_in(&folder.path().join("none")).is_err());
        assert!(
            Part::Model.names_in(folder.path()).is_err(),
            "an empty map knows nothing"
        );
        for (file, text) in [
            ("index.xml", "<cpus><model name='of the index'/></cpus>"),
            ("ppc64_POWER9.xml", "<cpus><model name='POWER9'/></cpus>"),
            (
                "x86_qemu64.xml",
                "<cpus><model name='qemu64'><model name='of another'/><feature name='fpu'/></model></cpus>",
            ),
            (
                "x86_features.xml",
                "<cpus><feature name='pni'><alias name='sse3' source='qemu'/><cpuid/></feature></cpus>",
            ),
        ] {
            fs::write(folder.path().join(file), text).unwrap();
        }
        let of = |part: Part| part.names_in(folder.path()).unwrap();
        assert_eq!(of(Part::Model), BTreeSet::from(["qemu64".to_owned()]));
        let both = ["pni".to_owned(), "sse3".to_owned()];
        assert_eq!(of(Part::Feature), BTreeSet::from(both));
    }

    #[test]
    fn a_guest_is_made_of_what_its_host_says_of_it_and_of_nothing_else() {
        let xml = "<domain><os><type machine='pc-q35-5.1'>hvm</type></os><cpu mode='custom'>
          <model fallback='forbid'>qemu64-v1</model>
          <feature policy='disable' name='pks'/><feature policy='require' name='vme'/></cpu></domain>";
        let is = |strike, what| is_made_of(xml, strike, what).unwrap();
        for (strike, right, wrong) in [
            (Strike::MachineUnknown, "pc-q35-5.1", "pc-q35-5.2"),
            (Strike::CpuModelUnknown, "qemu64-v1", "qemu64"),
            (Strike::CpuFeatureUnknown, "pks", "vme"),
        ] {
            assert!(is(strike, right), "{strike}");
            assert!(!is(strike, wrong), "{strike}");
        }
        assert!(is_made_of("", Strike::MachineUnknown, "pc-q35-5.1").is_err());
    }
}
