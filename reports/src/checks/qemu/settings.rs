//! `settings`: what the case names is set on both sides, and nothing else is.

use std::{collections::BTreeSet, ops::Range};

use migratrix_history::{DomainState, JobStats, Side, When};
use migratrix_matrix::{CpuModel, Feature, Method, Raw, Setting, Tls};
use serde_json::Value;

use super::seen::Settings;
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        words::place,
    },
};

/// Both sides say, each time that they are asked, that just what the case names is set: before the migration
/// and when it is over.
pub(super) fn settings(evidence: &Evidence<'_>, raw: &Raw) -> Judged {
    let mut faults = Vec::new();
    let mut blind = None;
    for side in sides(raw) {
        let said = evidence.settings(*side);
        blind = blind.or_else(|| unsaid(evidence, raw, *side));
        let wrong = said
            .iter()
            .flat_map(|(_, settings)| wrong(settings, raw, *side));
        let wrong: BTreeSet<String> = wrong.collect();
        faults.extend(wrong.into_iter().map(|fault| (*side, fault)));
    }
    faults.extend(processors(evidence, raw));
    faults.extend(at_work(evidence, raw).map(|fault| (Side::Source, fault)));
    if raw.cpu != CpuModel::Default && processor(evidence, Side::Source, When::Before).is_none() {
        blind = blind.or_else(|| Some(unsaid_by(Side::Source)));
    }
    if let Some((side, _)) = faults.first() {
        let told: Vec<_> = faults.iter().map(|(on, fault)| told(*on, fault)).collect();
        let (host, told) = (evidence.host(*side), told.join("; "));
        return Ok(Verdict::fail(format!(
            "not set as the case says, first on {host}: {told}"
        )));
    }
    if raw.tls != Tls::None && evidence.records_all() {
        let is_made = |side: &&Side| {
            let mut made = evidence.commands(**side, "object-add").into_iter();
            made.any(|(_, arguments)| arguments.to_string().contains("\"tls-creds-"))
        };
        if let Some(side) = Side::BOTH.iter().find(|side| !is_made(side)) {
            let what = format!(
                "{} was not given the credentials that are set",
                place(*side)
            );
            return Err(evidence.unseen(&what));
        }
    }
    blind.map_or(Ok(Verdict::Pass), |what| Err(evidence.unseen(&what)))
}

fn unsaid_by(side: Side) -> String {
    format!("{} did not say what is set", place(side))
}

/// What a side has not said of what is set: before it was asked to migrate, or when that was over, where its QEMU
/// was still there.
fn unsaid(evidence: &Evidence<'_>, raw: &Raw, side: Side) -> Option<String> {
    let said = evidence.settings(side);
    if said.is_empty() {
        return Some(unsaid_by(side));
    }
    if let Some(name) = concealed(&said) {
        return Some(format!(
            "{} did not say each time what {name} is",
            place(side)
        ));
    }
    if !evidence.records_ends() || !raw.asked_again().contains(&side) {
        return None;
    }
    let is_said = |span: &Range<u64>| said.iter().any(|(at_us, _)| span.contains(at_us));
    let is_gone = matches!(evidence.look(side, When::After), Ok(DomainState::Absent));
    let place = place(side);
    if !is_said(&evidence.span(When::Before)) {
        return Some(format!("{place} did not say what is set before"));
    }
    let is_missing = !is_gone && !is_said(&evidence.span(When::After));
    is_missing.then(|| format!("{place} did not say what is set when the migration was over"))
}

/// What is wrong where the source's statistics tell of a capability that the case doesn't name: they have such
/// figures of one that is on only (`MigrationInfo`).
fn at_work(evidence: &Evidence<'_>, raw: &Raw) -> Option<String> {
    let jobs = evidence.jobs(Side::Source);
    let tells = |feature: Feature, figure: fn(&JobStats) -> Option<u64>| {
        !raw.features.has(feature) && jobs.iter().any(|job| figure(job).is_some())
    };
    if tells(Feature::Xbzrle, |job| job.xbzrle_pages) {
        return Some(
            "it counts pages that were sent as differences, and xbzrle is not the case's".into(),
        );
    }
    let throttles = tells(Feature::AutoConverge, |job| job.throttle_percent);
    (throttles && !raw.features.has(Feature::DirtyLimit))
        .then(|| "it throttles the guest, and auto-converge is not the case's".to_owned())
}

/// Who is asked. A process that replaces itself is both sides; one that is handed its state over
/// answers only once it has it, and is not told of the mode.
const fn sides(raw: &Raw) -> &'static [Side] {
    match raw.method {
        Method::Precopy | Method::Postcopy | Method::CprReboot => {
            &[Side::Source, Side::Destination]
        }
        Method::CprTransfer | Method::CprExec => &[Side::Source],
    }
}

/// The sides whose processors are of another model than the case's. One that was not inspected has no
/// guest, and histories from before there was a choice don't tell.
fn processors(evidence: &Evidence<'_>, raw: &Raw) -> Vec<(Side, String)> {
    let wanted = raw.cpu.qom_type(raw.machine.arch());
    let looks = [
        (Side::Source, When::Before),
        (Side::Destination, When::After),
    ];
    let wrong = looks.into_iter().filter_map(|(side, when)| {
        let kind = processor(evidence, side, when).filter(|kind| *kind != wanted)?;
        Some((side, format!("the processor is {kind}, and not {wanted}")))
    });
    wrong.collect()
}

/// The type of a side's processor, as it said then.
fn processor<'h>(evidence: &Evidence<'h>, side: Side, when: When) -> Option<&'h str> {
    let domain = evidence.ours(side, when).ok()??;
    domain.identity.as_ref()?.processor.as_deref()
}

fn told(side: Side, fault: &str) -> String {
    format!("{}: {fault}", place(side))
}

/// What one answer has that it shouldn't have, or lacks.
fn wrong(settings: &Settings<'_>, raw: &Raw, side: Side) -> Vec<String> {
    let mut all = capabilities(settings, raw);
    all.extend(parameters(settings, raw));
    all.extend(unasked(settings, raw));
    all.extend(encryption(settings, raw.tls, side));
    all
}

/// A parameter that a side told of once and not another time. What names a peer of TLS is told by releases of old
/// only where it is set.
fn concealed(said: &[(u64, Settings<'_>)]) -> Option<&'static str> {
    let tells = |name: &str| -> BTreeSet<bool> {
        let each = said.iter();
        each.map(|(_, one)| one.parameters.contains_key(name))
            .collect()
    };
    let names = USUAL.into_iter().map(|(name, _)| name);
    let mut names = names.filter(|name| !name.starts_with("tls-"));
    names.find(|name| tells(name) == BTreeSet::from([false, true]))
}

/// What has a source wait before the switchover.
const PAUSE: &str = "pause-before-switchover";

/// No capability is on by default in any release, so each that is on was turned on. The one that has a
/// migration wait until it was looked at is not the case's.
fn capabilities(settings: &Settings<'_>, raw: &Raw) -> Vec<String> {
    let wanted: BTreeSet<&str> = raw.capabilities().into_iter().collect();
    let on: BTreeSet<&str> = settings.capabilities.iter().map(String::as_str).collect();
    let off = wanted.difference(&on).map(|one| format!("{one} is off"));
    let more = on.difference(&wanted);
    let more = more.filter(|one| !(raw.waits_to_be_counted() && **one == PAUSE));
    let more = more.map(|one| format!("{one} is on"));
    off.chain(more).collect()
}

fn parameters(settings: &Settings<'_>, raw: &Raw) -> Vec<String> {
    let wanted = raw.parameters().into_iter();
    let wrong = wanted.filter_map(|(name, setting)| {
        let wanted = value(setting);
        let seen = settings.parameters.get(name).unwrap_or(&Value::Null);
        (*seen != wanted).then(|| format!("{name} is {seen}, and not {wanted}"))
    });
    wrong.collect()
}

fn value(setting: Setting) -> Value {
    match setting {
        Setting::Text(text) => Value::from(text),
        Setting::Number(number) => Value::from(number),
        Setting::Switch(on) => Value::from(on),
    }
}

/// The parameters of the axes and what they are where a case doesn't name them. A release that has
/// not got one says nothing of it.
const USUAL: [(&str, Setting); 20] = [
    ("multifd-compression", Setting::Text("none")),
    ("mode", Setting::Text("normal")),
    ("direct-io", Setting::Switch(false)),
    ("multifd-channels", Setting::Number(2)),
    ("multifd-zlib-level", Setting::Number(1)),
    ("multifd-zstd-level", Setting::Number(1)),
    ("announce-initial", Setting::Number(50)),
    ("announce-max", Setting::Number(550)),
    ("announce-rounds", Setting::Number(5)),
    ("announce-step", Setting::Number(100)),
    ("cpu-throttle-initial", Setting::Number(20)),
    ("cpu-throttle-increment", Setting::Number(10)),
    ("cpu-throttle-tailslow", Setting::Switch(false)),
    ("max-cpu-throttle", Setting::Number(99)),
    ("throttle-trigger-threshold", Setting::Number(50)),
    ("xbzrle-cache-size", Setting::Number(64 << 20)),
    ("avail-switchover-bandwidth", Setting::Number(0)),
    ("vcpu-dirty-limit", Setting::Number(1)),
    ("tls-hostname", Setting::Text("")),
    ("tls-authz", Setting::Text("")),
];

fn unasked(settings: &Settings<'_>, raw: &Raw) -> Vec<String> {
    let named: Vec<_> = raw.parameters().into_iter().map(|(name, _)| name).collect();
    let is_named = |name: &str| named.contains(&name) || encrypts_by(raw.tls, name);
    let usual = USUAL.into_iter().filter(|(name, _)| !is_named(name));
    let wrong = usual.filter_map(|(name, setting)| {
        let seen = settings.parameters.get(name)?;
        // Releases of old fill in the address that they are sent to.
        let is_filled = name == "tls-hostname" && raw.tls != Tls::None && *seen == LOOPBACK;
        (*seen != value(setting) && !is_filled)
            .then(|| format!("{name} is {seen}, and the case doesn't say so"))
    });
    wrong.collect()
}

/// Where the other side of a TCP connection is.
const LOOPBACK: &str = "127.0.0.1";

/// Whether a kind of encryption has a value of its own for a parameter.
fn encrypts_by(tls: Tls, name: &str) -> bool {
    match tls {
        Tls::X509OverrideHost => name == "tls-hostname",
        Tls::X509FriendlyClient | Tls::X509HostileClient => name == "tls-authz",
        Tls::None
        | Tls::Psk
        | Tls::PskMismatch
        | Tls::X509
        | Tls::X509MismatchHost
        | Tls::X509AllowAnonymous
        | Tls::X509RejectAnonymous => false,
    }
}

fn encryption(settings: &Settings<'_>, tls: Tls, side: Side) -> Vec<String> {
    let is_set = |name: &str| {
        let value = settings.parameters.get(name).and_then(Value::as_str);
        value.is_some_and(|text| !text.is_empty())
    };
    let credentials = is_set("tls-creds");
    let wrong = match (tls == Tls::None, credentials) {
        (true, true) => Some("tls-creds is set".to_owned()),
        (false, false) => Some("tls-creds is not set".to_owned()),
        (true, false) | (false, true) => None,
    };
    let needed = match (tls, side) {
        (Tls::X509OverrideHost, Side::Source) => Some("tls-hostname"),
        (Tls::X509FriendlyClient | Tls::X509HostileClient, Side::Destination) => Some("tls-authz"),
        (
            Tls::None
            | Tls::Psk
            | Tls::PskMismatch
            | Tls::X509
            | Tls::X509OverrideHost
            | Tls::X509MismatchHost
            | Tls::X509FriendlyClient
            | Tls::X509HostileClient
            | Tls::X509AllowAnonymous
            | Tls::X509RejectAnonymous,
            Side::Source | Side::Destination,
        ) => None,
    };
    let missing = needed.filter(|name| !is_set(name));
    let missing = missing.map(|name| format!("{name} is not set"));
    wrong.into_iter().chain(missing).collect()
}
