//! What could have been seen in place of a thing, were it otherwise.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each edit is of some kinds of observations"
)]

use migratrix_guest::{DiskSector, Page, Ram, Registers};
use migratrix_history::{
    BitmapInfo, Carrier, CarrierKind, Document, DomainInfo, DomainState, JobStats, Observation,
    Outcome, Part, Party, Refusal, Side, Stranger, Text, Traffic, Versions,
};
use serde_json::json;

/// What could have been seen in place of a thing, were it otherwise.
pub(super) fn changed(saw: &Observation) -> Vec<(String, Observation)> {
    let mut all = Vec::new();
    let mut other = |how: &str, change: &dyn Fn(&mut Observation)| {
        let mut changed = saw.clone();
        change(&mut changed);
        if changed != *saw {
            all.push((how.to_owned(), changed));
        }
    };
    other("other side of", &|saw| {
        if let Some(side) = side(saw) {
            *side = side.other();
        }
    });
    other("refuse", &|saw| {
        if let Observation::Ended { outcome, .. } = saw {
            *outcome = Outcome::Refused(Refusal {
                code: 38,
                domain: 10,
                message: "no".to_owned(),
            });
        }
    });
    other("lose the end of", &|saw| {
        if let Observation::Ended { outcome, .. } = saw {
            *outcome = Outcome::Unknown {
                why: "no answer".to_owned(),
            };
        }
    });
    other("no domain in", &|saw| {
        if let Observation::Domain { look, .. } = saw {
            *look = DomainState::Absent;
        }
    });
    other("stop", &|saw| {
        if let Observation::Beat { first, last, .. } = saw {
            *last = *first;
        }
    });
    other("advance", &|saw| {
        if let Observation::Beat { first, last, .. } = saw {
            *last = *first + 3;
        }
    });
    other("other word of", &|saw| match saw {
        Observation::Lifecycle { event, .. } | Observation::Event { event, .. } => {
            "crashed".clone_into(event);
        }
        Observation::Status { status, .. } => "failed".clone_into(status),
        _ => {}
    });
    other("other detail of", &|saw| {
        if let Observation::Lifecycle { detail, .. } = saw {
            "other".clone_into(detail);
        }
    });
    other("leave something in", &|saw| {
        if let Observation::Leftovers { left, .. } = saw {
            left.push("a socket".to_owned());
        }
    });
    other("a longer downtime in", &|saw| {
        if let Observation::Job { job, .. } = saw {
            job.downtime_ms = job.downtime_ms.map(|down| down * 15);
        }
    });
    other("an unfinished", &|saw| {
        if let Observation::Job { job, .. } = saw {
            job.memory_remaining = Some(4096);
        }
    });
    other("an empty", &|saw| match saw {
        Observation::Memory { survey, .. } => survey.runs.clear(),
        Observation::Settings { capabilities, .. } => capabilities.clear(),
        _ => {}
    });
    other("an older", &|saw| match saw {
        Observation::Memory { survey, .. } => {
            for run in &mut survey.runs {
                if let Page::Stamped { lap } = &mut run.page {
                    *lap = 1;
                }
            }
        }
        Observation::Sectors { survey, .. } => {
            for sector in &mut survey.sectors {
                if let DiskSector::Stamped { lap } = sector {
                    *lap = 1;
                }
            }
        }
        _ => {}
    });
    other("a wrong", &|saw| spoil(saw));
    let parts = [
        parts(DOMAINS, saw, |saw| match saw {
            Observation::Domain {
                look: DomainState::Present(domain),
                ..
            } => Some(domain),
            _ => None,
        }),
        parts(RAMS, saw, |saw| match saw {
            Observation::Ram { ram, .. } => Some(ram),
            _ => None,
        }),
        parts(REGISTERS, saw, |saw| match saw {
            Observation::Memory { registers, .. } => Some(registers),
            _ => None,
        }),
        parts(TEXTS, saw, |saw| match saw {
            Observation::Description { text, .. } => Some(text),
            _ => None,
        }),
        parts(TRAFFICS, saw, |saw| match saw {
            Observation::Traffic(traffic) => Some(traffic),
            _ => None,
        }),
        parts(CARRIERS, saw, |saw| match saw {
            Observation::Carriers { carriers, .. } => Some(carriers),
            _ => None,
        }),
        parts(VERSIONS, saw, |saw| match saw {
            Observation::Versions(versions) => Some(versions),
            _ => None,
        }),
        parts(JOBS, saw, |saw| match saw {
            Observation::Job { job, .. } | Observation::JobEnded { job, .. } => Some(job),
            _ => None,
        }),
        parts(BITMAPS, saw, |saw| match saw {
            Observation::Bitmaps { bitmaps, .. } => Some(bitmaps),
            _ => None,
        }),
        parts(WHOLES, saw, |saw| match saw {
            Observation::Note { .. } => None,
            saw => Some(saw),
        }),
    ];
    all.extend(parts.into_iter().flatten());
    all
}

/// What a thing could have been, by each change of a part of it.
fn parts<T>(
    changes: &[Change<T>],
    saw: &Observation,
    part: fn(&mut Observation) -> Option<&mut T>,
) -> Vec<(String, Observation)> {
    let changed = |(how, change): &Change<T>| {
        let mut changed = saw.clone();
        change(part(&mut changed)?);
        (changed != *saw).then(|| ((*how).to_owned(), changed))
    };
    changes.iter().filter_map(changed).collect()
}

/// What tells of a thing that went wrong, in place of one that went well.
fn spoil(saw: &mut Observation) {
    match saw {
        Observation::Job { job, .. } | Observation::JobEnded { job, .. } => {
            "failed".clone_into(&mut job.kind);
            job.success = job.success.map(|_| false);
        }
        Observation::Channels { count, .. } => *count += 1,
        Observation::Stream { devices, .. } => *devices = None,
        Observation::Colo { reason, .. } => "error".clone_into(reason),
        Observation::Event { data, .. } if !data.is_null() => {
            *data = serde_json::json!({"error": "no"});
        }
        Observation::Mirror { differing, .. } => differing.push(4096),
        Observation::Monitor { answered, .. } => *answered = !*answered,
        Observation::Bitmaps { bitmaps, .. } => {
            for bitmap in bitmaps {
                bitmap.inconsistent = true;
            }
        }
        Observation::Compared { status, .. } => *status = 1,
        Observation::Written { told, .. } => told.clear(),
        Observation::Command { command, .. } => command.push('x'),
        _ => {}
    }
}

/// A change of a part of a thing seen, and its name.
type Change<T> = (&'static str, fn(&mut T));

/// Of what a host says of its domain.
const DOMAINS: &[Change<DomainInfo>] = &[
    ("other UUID in", |domain| domain.uuid.push('0')),
    ("other activity in", |domain| domain.active = !domain.active),
    ("other persistence in", |domain| {
        domain.persistent = !domain.persistent;
    }),
    ("other state in", |domain| {
        "crashed".clone_into(&mut domain.state)
    }),
    ("other reason in", |domain| {
        "crashed".clone_into(&mut domain.reason)
    }),
    ("other machine in", |domain| {
        if let Some(identity) = &mut domain.identity {
            identity.vcpus += 1;
        }
    }),
    ("another device in", |domain| {
        if let Some(identity) = &mut domain.identity {
            identity
                .devices
                .insert("disk/vdb".to_owned(), "x".to_owned());
        }
    }),
    ("no machine in", |domain| domain.identity = None),
];

/// Of all of a machine's memory.
const RAMS: &[Change<Ram>] = &[
    ("another page in", |ram| {
        if let Some(region) = ram.regions.last_mut() {
            region.hashes.replace_range(..1, "f");
        }
    }),
    ("an empty page in", |ram| {
        if let Some(region) = ram.regions.first_mut() {
            region.hashes.drain(..16);
            region.page += 1;
        }
    }),
    ("moved pages in", |ram| {
        if let Some(region) = ram.regions.last_mut() {
            region.page -= 1;
        }
    }),
    ("a page more in", |ram| ram.pages += 1),
    ("nothing in", |ram| *ram = Ram::default()),
];

/// Of where the processor stood.
const REGISTERS: &[Change<Option<Registers>>] = &[
    ("no registers in", |registers| *registers = None),
    ("another place in", |registers| {
        if let Some(registers) = registers {
            registers.next = 0xf_0000;
        }
    }),
];

/// Of a document.
const TEXTS: &[Change<Text>] = &[
    ("another value in", |text| {
        on_each_line(text, |line| {
            let line = line.replace(">destroy<", ">restart<");
            Some(line.replace("base=67108864", "base=33554432"))
        });
    }),
    ("another option in", |text| {
        on_each_line(text, |line| {
            Some(line.replace("rtc=base=utc", "rtc=base=localtime"))
        });
    }),
    ("a thing less in", |text| {
        let is_last = |line: &str| line.starts_with("<vcpu>") || line.starts_with("[device");
        on_each_line(text, |line| (!is_last(&line)).then_some(line));
    }),
    ("a later clock in", |text| {
        on_each_line(text, |line| Some(line.replace("ahead=0", "ahead=9")));
    }),
    ("another version in", |text| {
        on_each_line(text, |line| Some(line.replace("version=", "version=1")));
    }),
    ("nothing in", |text| text.parts.clear()),
    ("a lost beginning of", |text| text.at += 1),
];

/// Each line changed; one that is taken out leaves an empty one in its place, which no document has, so
/// that later documents still name the lines that they mean.
fn on_each_line(text: &mut Text, change: impl Fn(String) -> Option<String>) {
    for part in &mut text.parts {
        if let Part::New(lines) = part {
            let changed = lines.lines().map(|line| change(line.to_owned()));
            let changed: Vec<_> = changed.map(Option::unwrap_or_default).collect();
            *lines = changed.join("\n");
        }
    }
}

/// Of what the network carried.
const TRAFFICS: &[Change<Traffic>] = &[
    ("another caller in", |traffic| {
        for call in &mut traffic.calls {
            call.from = Party::Other;
        }
    }),
    ("another callee in", |traffic| {
        for call in &mut traffic.calls {
            call.to = Party::Other;
        }
    }),
    ("other calls in", |traffic| {
        for call in &mut traffic.calls {
            call.procedure.push('x');
        }
    }),
    ("the first call lost of", |traffic| {
        traffic.calls.remove(0);
    }),
    ("the last call lost of", |traffic| {
        traffic.calls.pop();
    }),
    ("a stranger in", |traffic| {
        traffic.strangers.push(Stranger {
            from: Party::Destination,
            to: Party::Source,
            port: 49_152,
            others: 0,
        });
    }),
    ("a call twice in", |traffic| {
        traffic.calls.extend_from_within(..1);
    }),
    ("a flag less in", |traffic| {
        for flags in traffic
            .calls
            .iter_mut()
            .filter_map(|call| call.flags.as_mut())
        {
            flags.pop_first();
        }
    }),
    ("a flag more in", |traffic| {
        for flags in traffic
            .calls
            .iter_mut()
            .filter_map(|call| call.flags.as_mut())
        {
            flags.insert("VIR_MIGRATE_OFFLINE".to_owned());
        }
    }),
    ("no flags in", |traffic| {
        traffic.calls.iter_mut().for_each(|call| call.flags = None);
    }),
    ("a parameter more in", |traffic| {
        for call in &mut traffic.calls {
            call.parameters.insert("compression".to_owned(), json!(1));
        }
    }),
    ("another sender in", |traffic| {
        for one in &mut traffic.connections {
            one.from = Party::Other;
        }
    }),
    ("a connection less in", |traffic| {
        traffic.connections.pop();
    }),
    ("a connection more in", |traffic| {
        let last = traffic.connections.last().cloned();
        traffic.connections.extend(last);
    }),
    ("fewer bytes in", |traffic| {
        for one in &mut traffic.connections {
            one.sent = Some(10);
        }
    }),
    ("no end in", |traffic| {
        for one in &mut traffic.connections {
            one.sent = None;
        }
    }),
    ("no answer in", |traffic| {
        for one in &mut traffic.connections {
            one.received = Some(0);
        }
    }),
    ("another port in", |traffic| {
        for one in &mut traffic.connections {
            one.port += 1;
        }
    }),
    ("lost packets in", |traffic| traffic.dropped = 5),
];

/// Of what carries a stream.
const CARRIERS: &[Change<Vec<Carrier>>] = &[
    ("another kind in", |carriers| {
        for one in carriers {
            one.kind = match one.kind {
                CarrierKind::Unix => CarrierKind::Tcp,
                CarrierKind::Tcp | CarrierKind::File | CarrierKind::Pipe => CarrierKind::Unix,
            };
        }
    }),
    ("another address in", |carriers| {
        for one in carriers {
            one.address = Some("127.0.0.1:9 and /other".to_owned());
        }
    }),
    ("no address in", |carriers| {
        for one in carriers {
            one.address = None;
        }
    }),
    ("nothing in", Vec::clear),
    ("one more in", |carriers| {
        carriers.push(Carrier {
            kind: CarrierKind::File,
            address: Some("/other".to_owned()),
            direct: 0,
        });
    }),
];

/// Of the versions that took part.
const VERSIONS: &[Change<Versions>] = &[
    ("another QEMU in", |versions| {
        for version in [&mut versions.source_qemu, &mut versions.destination_qemu] {
            version.iter_mut().for_each(|version| version.micro += 1);
        }
    }),
    ("another libvirt in", |versions| {
        let Versions {
            source_libvirt,
            destination_libvirt,
            ..
        } = versions;
        for version in [source_libvirt, destination_libvirt] {
            version.iter_mut().for_each(|version| version.micro += 1);
        }
    }),
    ("another client in", |versions| {
        let client = versions.client.iter_mut();
        client.for_each(|version| version.micro += 1);
    }),
];

/// Of a job's statistics.
const JOBS: &[Change<JobStats>] = &[
    ("nothing sent in", |job| {
        (job.memory_processed, job.memory_constant) = (Some(0), None);
    }),
    ("too much sent in", |job| {
        job.memory_processed = Some(1 << 40)
    }),
    ("no time in", |job| job.elapsed_ms = None),
    ("no total in", |job| job.memory_total = None),
    ("a downtime beyond all of", |job| {
        job.downtime_ms = job.elapsed_ms.map(|all| all + 1)
    }),
    ("less disk in", |job| {
        job.disk_total = job.disk_total.map(|all| all / 2)
    }),
    ("less of the disk in", |job| {
        job.disk_processed = job.disk_processed.map(|all| all / 2)
    }),
    ("another operation in", |job| {
        if let Some(operation) = &mut job.operation {
            operation.push('x');
        }
    }),
];

/// Of the bitmaps of a side's disks.
const BITMAPS: &[Change<Vec<BitmapInfo>>] = &[
    ("none of", Vec::clear),
    ("more dirty in", |all| {
        all.iter_mut().for_each(|one| one.count += 1 << 20)
    }),
    ("nothing dirty in", |all| {
        all.iter_mut().for_each(|one| one.count = 0)
    }),
    ("coarser in", |all| {
        all.iter_mut().for_each(|one| one.granularity *= 2)
    }),
    ("other names in", |all| {
        all.iter_mut().for_each(|one| one.name.push('x'))
    }),
    ("asleep in", |all| {
        all.iter_mut().for_each(|one| one.recording = false)
    }),
    ("other holders in", |all| {
        all.iter_mut().for_each(|one| one.busy = !one.busy)
    }),
    ("others kept in", |all| {
        all.iter_mut()
            .for_each(|one| one.persistent = !one.persistent)
    }),
];

/// Of other things.
const WHOLES: &[Change<Observation>] = &[
    ("not ours in place of", |saw| {
        if let Observation::Leftovers { side, .. } | Observation::Ram { side, .. } = saw {
            *saw = Observation::NotOurs { side: *side };
        }
    }),
    ("not captured in place of", |saw| {
        if let Observation::Traffic(_) = saw {
            *saw = Observation::NotCaptured {
                why: "no".to_owned(),
            };
        }
    }),
    ("another document in place of", |saw| {
        if let Observation::Description { of, .. } = saw {
            *of = match of {
                Document::Live => Document::Kept,
                Document::Kept => Document::Machine,
                Document::Machine => Document::Live,
            };
        }
    }),
    ("a leap in", |saw| {
        if let Observation::Beat { first, last, .. } = saw {
            (*first, *last) = (*first + 5_000, *last + 5_000);
        }
    }),
    ("a longer window in", |saw| {
        if let Observation::Beat { window_us, .. } = saw {
            *window_us += 10_000_000;
        }
    }),
    ("more on in", |saw| {
        if let Observation::Settings { capabilities, .. } = saw {
            capabilities.insert("zero-blocks".to_owned());
        }
    }),
    ("another parameter in", |saw| {
        if let Observation::Settings { parameters, .. } = saw {
            for name in ["direct-io", "x-checkpoint-delay"] {
                let value = parameters.get_mut(name);
                value.into_iter().for_each(|value| *value = json!(true));
            }
        }
    }),
    ("nothing in", |saw| match saw {
        Observation::Settings { parameters, .. } => parameters.clear(),
        Observation::Device { did, .. } => did.clear(),
        Observation::Mirror { pages, .. } => *pages = 0,
        Observation::Sectors { survey, .. } => survey.sectors.clear(),
        _ => {}
    }),
    ("another number in", |saw| match saw {
        Observation::Iteration { iteration, .. } => *iteration = 1,
        Observation::Channels { count, .. } => *count = 0,
        Observation::Mirror { lap, .. } => *lap += 5_000,
        Observation::Written { offset, .. } => *offset += 65_536,
        _ => {}
    }),
    ("another form of", |saw| match saw {
        Observation::Stream { magic, .. } => magic.push('x'),
        Observation::Written { pattern, .. } => *pattern ^= 1,
        Observation::Compared { one, .. } => one.push('x'),
        Observation::Command { arguments, .. } => *arguments = json!({"uri": "tcp:1.2.3.4:9"}),
        Observation::Colo { mode, .. } => mode.push('x'),
        _ => {}
    }),
    ("another order in", |saw| match saw {
        Observation::Stream { in_place, .. } => *in_place = in_place.map(|one| !one),
        Observation::Device { did, .. } => did.reverse(),
        Observation::Colo { last_mode, .. } => last_mode.push('x'),
        Observation::Compared { other, .. } => other.push('x'),
        Observation::Written { length, .. } => *length /= 2,
        _ => {}
    }),
];

fn side(saw: &mut Observation) -> Option<&mut Side> {
    match saw {
        Observation::Domain { side, .. }
        | Observation::Beat { side, .. }
        | Observation::Lifecycle { side, .. }
        | Observation::Iteration { side, .. }
        | Observation::Job { side, .. }
        | Observation::Memory { side, .. }
        | Observation::Command { side, .. }
        | Observation::Event { side, .. }
        | Observation::Status { side, .. }
        | Observation::Settings { side, .. }
        | Observation::Channels { side, .. }
        | Observation::Device { side, .. }
        | Observation::Colo { side, .. }
        | Observation::Monitor { side, .. }
        | Observation::Bitmaps { side, .. }
        | Observation::Compared { side, .. }
        | Observation::Sectors { side, .. }
        | Observation::Written { side, .. }
        | Observation::JobEnded { side, .. }
        | Observation::Description { side, .. }
        | Observation::Ram { side, .. }
        | Observation::Carriers { side, .. }
        | Observation::Leftovers { side, .. } => Some(side),
        _ => None,
    }
}
