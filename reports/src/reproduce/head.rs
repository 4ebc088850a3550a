//! What stands at the top of a script, as comments: the case, the versions, what was seen, what should be.

use migratrix_history::Versions;
use migratrix_matrix::{Case, Release, ReleaseName, Releases, Version};

use super::{
    fit::{NoScript, can_be_shown, was_run, would_be_seen},
    template::comment,
};
use crate::{Judgement, Kind};

/// Where what a script tells comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'r> {
    /// The case.
    pub case: &'r Case,
    /// The releases, with the versions of their packages.
    pub releases: &'r Releases,
    /// What came of it, where it was run.
    pub judgement: Option<&'r Judgement>,
}

/// How a script is called: what goes before it on the command line.
pub(super) const CALL_RAW: &str = "SRC_QEMU=/old/qemu DST_QEMU=/new/qemu sh SCRIPT";
pub(super) const CALL_LIBVIRT: &str = "SRC_URI=qemu+ssh://root@a/system SRC_RUN='ssh root@a' \
     DST_URI=qemu+ssh://root@b/system DST_RUN='ssh root@b' sh SCRIPT";

impl Origin<'_> {
    /// That a script can show the case, and what came of it.
    pub(super) fn may_be_shown(&self) -> Result<(), NoScript> {
        can_be_shown(self.case)?;
        self.judgement.map_or(Ok(()), |judgement| {
            was_run(judgement)?;
            would_be_seen(judgement)
        })
    }

    /// The first lines of the script.
    pub(super) fn head(&self, should: &str, call: &str) -> String {
        let mut text = format!("Live migration: {}\n\n", self.case);
        for (side, name) in self.sides() {
            text += &format!("{side}: {}\n", self.versions(side, name));
        }
        text += &self.seen();
        text += &format!("\nwhat should be: {should}\n\n{call}\n");
        text += "exit status: 0 as it should be, 1 the failure shows, 2 it could not be tried\n";
        "#!/bin/sh\n".to_owned() + &comment(&text)
    }

    /// The places with their releases.
    fn sides(&self) -> Vec<(&'static str, &ReleaseName)> {
        let tuple = &self.case.tuple;
        let mut sides = vec![
            ("source", &tuple.source),
            ("destination", &tuple.destination),
        ];
        if self.case.backend.has_client() {
            sides.push(("client", &tuple.client));
        }
        sides
    }

    /// The versions of a side, and of the packages that it is made of.
    fn versions(&self, side: &str, name: &ReleaseName) -> String {
        let release = self.releases.find(name).ok();
        let told = self.judgement.map(|one| &one.versions);
        let (libvirt, qemu) = told.map_or((None, None), |told| of_side(told, side));
        let qemu = qemu.or(release.and_then(|one| one.qemu));
        let libvirt = libvirt.or(release.and_then(|one| one.libvirt));
        let mut words = Vec::new();
        if self.case.backend.has_client() {
            words.extend(libvirt.map(|version| format!("libvirt {version}")));
        }
        if side != "client" {
            words.extend(qemu.map(|version| format!("QEMU {version}")));
        }
        let mut text = format!("{} ({name})", words.join(", "));
        let packages = release.into_iter().flat_map(Release::packages);
        for (package, version) in packages {
            text += &format!("\n  {package} {version}");
        }
        text
    }

    /// What came of it where it was run.
    fn seen(&self) -> String {
        let Some(judgement) = self.judgement else {
            return "\nwhat is seen: nothing yet, the case was not run\n".to_owned();
        };
        let mut text = String::new();
        if let Some(line) = judgement.cut {
            text += &format!(
                "  incomplete: the history is cut at line {line}, and what was done and seen after that is not here\n"
            );
        }
        for (condition, verdict) in judgement.troubles() {
            let word = match verdict.kind() {
                Kind::Fail => "fails",
                Kind::Unknown => "is unknown",
                Kind::Pass | Kind::Skipped => continue,
            };
            text += &format!("  {condition} {word}: {}\n", verdict.why());
        }
        match (text.is_empty(), judgement.said()) {
            (true, _) => "\nwhat is seen: all is as it should be\n".to_owned(),
            (false, None) => format!("\nwhat is seen:\n{text}"),
            (false, Some(said)) => format!("\nwhat is seen:\n{text}  {said}\n"),
        }
    }
}

/// The versions of libvirt and QEMU that were seen on a side.
fn of_side(told: &Versions, side: &str) -> (Option<Version>, Option<Version>) {
    match side {
        "source" => (told.source_libvirt, told.source_qemu),
        "destination" => (told.destination_libvirt, told.destination_qemu),
        _ => (told.client, None),
    }
}
