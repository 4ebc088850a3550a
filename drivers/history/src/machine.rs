//! What a QEMU is asked of its machine, and the document that its answers make: sections of properties.
//!
//! ```text
//! [memory]
//! base=16777216
//! [device pcie.0/ich9-ahci]
//! addr=1f.2
//! pci=SATA controller, addr 00:1f.2, pci id 8086:2922 (sub 1af4:1100)
//! ```
//!
//! The devices are those of `info qtree`, which has told of all devices on buses, with their properties, since
//! long before the oldest release here, in one answer.

mod devices;

use std::fmt::Write as _;

use serde_json::{Value, json};

/// One question to a QEMU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// Which version it is.
    Version,
    /// How much memory there is.
    Memory,
    /// Which processors there are, and could be.
    Processors,
    /// What the drives are.
    Drives,
    /// What time its real-time clock has.
    Clock,
    /// Which devices there are.
    Devices,
}

/// What a QEMU said, question by question; nothing where it refused.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    said: Vec<(Question, Value)>,
    /// The time of the host before it was asked for its clock and after, in seconds since 1970 UTC.
    pub host_unix: (u64, u64),
    /// The words that it was started with, where its host tells.
    pub words: Option<Vec<String>>,
}

/// Makes a section of an answer.
type Section = fn(&Value) -> String;

/// The options that tell the guest where it is, and that QEMU has no answer about.
const OPTIONS: [&str; 12] = [
    "uuid",
    "boot",
    "rtc",
    "icount",
    "smbios",
    "fw_cfg",
    "bios",
    "kernel",
    "initrd",
    "append",
    "acpitable",
    "option-rom",
];

impl Question {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Version,
        Self::Memory,
        Self::Processors,
        Self::Drives,
        Self::Clock,
        Self::Devices,
    ];

    /// The command of QMP that asks it, and its arguments.
    #[must_use]
    pub fn command(self) -> (&'static str, Value) {
        match self {
            Self::Version => ("query-version", json!({})),
            Self::Memory => ("query-memory-size-summary", json!({})),
            Self::Processors => ("query-hotpluggable-cpus", json!({})),
            Self::Drives => ("query-block", json!({})),
            Self::Clock => (
                "qom-get",
                json!({ "path": "/machine", "property": "rtc-time" }),
            ),
            Self::Devices => (
                "human-monitor-command",
                json!({ "command-line": "info qtree" }),
            ),
        }
    }
}

impl Answers {
    /// Takes an answer in.
    pub fn take(&mut self, question: Question, answer: Value) {
        self.said.push((question, answer));
    }

    /// What was said to a question.
    #[must_use]
    pub fn to(&self, question: Question) -> Option<&Value> {
        let mut said = self.said.iter();
        said.find(|(one, _)| *one == question)
            .map(|(_, answer)| answer)
    }

    /// The document. `None` where QEMU did not tell of its devices.
    #[must_use]
    pub fn document(&self) -> Option<String> {
        let devices = self.to(Question::Devices)?.as_str()?;
        let mut text = String::new();
        let sections: [(Question, Section); 4] = [
            (Question::Version, version),
            (Question::Memory, memory),
            (Question::Processors, processors),
            (Question::Drives, drives),
        ];
        for (question, section) in sections {
            text += &self.to(question).map(section).unwrap_or_default();
        }
        let ahead = self.to(Question::Clock).and_then(unix);
        if let Some(unix) = ahead {
            text += &clock(unix, self.host_unix);
        }
        let options = |words: &[String]| options(words, devices);
        text += &self.words.as_deref().map(options).unwrap_or_default();
        text += &devices::sections(devices);
        Some(text)
    }
}

/// The numbers of a version, `10.0.13`.
#[must_use]
pub fn numbers(answer: &Value) -> Option<String> {
    let number = |part: &str| answer.get("qemu")?.get(part)?.as_u64();
    let [major, minor, micro] = ["major", "minor", "micro"].map(number);
    Some(format!("{}.{}.{}", major?, minor?, micro?))
}

fn version(answer: &Value) -> String {
    let version = numbers(answer).unwrap_or_default();
    format!("[qemu]\nversion={version}\n")
}

/// By how many seconds a clock is ahead of its host's: where it took a while to ask, from how many to how many.
fn clock(unix: i64, (before, after): (u64, u64)) -> String {
    let (least, most) = (
        unix.saturating_sub_unsigned(after),
        unix.saturating_sub_unsigned(before),
    );
    if least == most {
        format!("[clock]\nahead={least}\n")
    } else {
        format!("[clock]\nahead={least}..{most}\n")
    }
}

fn memory(answer: &Value) -> String {
    let of = |part: &str| answer.get(part).and_then(Value::as_u64).unwrap_or(0);
    let (base, plugged) = (of("base-memory"), of("plugged-memory"));
    format!("[memory]\nbase={base}\nplugged={plugged}\n")
}

fn processors(answer: &Value) -> String {
    let all = answer.as_array().map(Vec::as_slice).unwrap_or_default();
    let told = all.iter().map(|one| {
        let kind = text(one, "type");
        let place: Vec<_> = one
            .get("props")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let is_there = one.get("qom-path").is_some();
        let count = one.get("vcpus-count").and_then(Value::as_u64).unwrap_or(1);
        let place = place.join(",");
        format!("[processor {place}]\ntype={kind}\ncount={count}\nthere={is_there}\n")
    });
    let mut told: Vec<_> = told.collect();
    told.sort();
    told.concat()
}

/// Those that a device has; where one is empty, that too.
fn drives(answer: &Value) -> String {
    let all = answer.as_array().map(Vec::as_slice).unwrap_or_default();
    let told = all.iter().filter_map(|one| {
        let device = one.get("qdev").and_then(Value::as_str)?;
        let device = device.trim_end_matches("/virtio-backend");
        let device = device.rsplit('/').next().unwrap_or(device);
        let mut section = format!("[drive {device}]\n");
        if let Some(inserted) = one.get("inserted") {
            let image = inserted.get("image").unwrap_or(&Value::Null);
            let size = image.get("virtual-size").and_then(Value::as_u64);
            let read_only = inserted.get("ro").and_then(Value::as_bool);
            let _ = writeln!(
                section,
                "file={}\nbacking={}\nformat={}\nread-only={}\nsize={}",
                text(inserted, "file"),
                backing(image).join(" < "),
                format_of(&text(inserted, "drv")),
                read_only.unwrap_or_default(),
                size.unwrap_or_default()
            );
        }
        Some(section)
    });
    let mut told: Vec<_> = told.collect();
    told.sort();
    told.concat()
}

/// The files behind an image, the nearest one first.
fn backing(image: &Value) -> Vec<String> {
    let behind = std::iter::successors(image.get("backing-image"), |one| one.get("backing-image"));
    behind.map(|one| text(one, "filename")).collect()
}

/// What is in a file as it is has no format, whether or not there is a layer that says so.
fn format_of(driver: &str) -> &str {
    match driver {
        "file" | "raw" => "raw",
        driver => driver,
    }
}

fn text(value: &Value, part: &str) -> String {
    let text = value.get(part).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// The options by which the guest can tell where it is, among the words that a QEMU was started with, whose
/// tree of devices on buses is `devices`.
fn options(words: &[String], devices: &str) -> String {
    let pairs = words.iter().zip(words.iter().skip(1));
    let named = pairs.filter_map(|(option, value)| Some((option.strip_prefix('-')?, value)));
    let lines = named.filter_map(|(name, value)| match name {
        "machine" | "M" => Some(machine(value)),
        // Of each driver there may be one: its property is part of the name.
        "global" => Some(format!("global {value}\n")),
        // Of a time when it was no property of the machine.
        "no-acpi" => Some("acpi=off\n".to_owned()),
        "device" => off_buses(value, devices),
        name => OPTIONS.contains(&name).then(|| format!("{name}={value}\n")),
    });
    let (lines, watchdog) = (lines.collect::<String>(), watchdog(words));
    format!("[options]\n{lines}watchdog={watchdog}\n")
}

/// What is done with a guest that its watchdog bites: what was said last, in either way, and a reset where nothing
/// was (`-watchdog-action` and `-action` in QEMU's manual page). No question to QEMU tells of it.
fn watchdog(words: &[String]) -> &str {
    let pairs = words.iter().zip(words.iter().skip(1));
    let mut said = pairs.filter_map(|(option, value)| match option.as_str() {
        "-watchdog-action" => Some(value.as_str()),
        "-action" => value
            .split(',')
            .filter_map(|one| one.strip_prefix("watchdog="))
            .next_back(),
        _ => None,
    });
    said.next_back().unwrap_or("reset")
}

/// What a guest can tell of its machine's properties, and no device does, and what QEMU has them as by itself.
const PROPERTIES: [(&str, &str); 5] = [
    ("graphics", "on"),
    ("acpi", "on"),
    ("smm", "auto"),
    ("vmport", "auto"),
    ("nvdimm", "off"),
];

/// The type, and those properties that are not as QEMU has them by itself. The rest says how the host runs it, or is
/// told by the devices.
fn machine(value: &str) -> String {
    let (kind, rest) = value.split_once(',').unwrap_or((value, ""));
    let kind = kind.strip_prefix("type=").unwrap_or(kind);
    let told = rest
        .split(',')
        .filter(|part| part.split_once('=').is_some_and(is_told));
    let told: String = told.map(|part| format!("{part}\n")).collect();
    format!("machine={kind}\n{told}")
}

fn is_told((name, value): (&str, &str)) -> bool {
    PROPERTIES
        .iter()
        .any(|(one, usual)| name == *one && value != *usual)
}

/// A device that is on no bus, so that the tree has not got it.
fn off_buses(value: &str, devices: &str) -> Option<String> {
    let described: Option<Value> = serde_json::from_str(value).ok();
    let driver = match &described {
        Some(described) => described.get("driver")?.as_str()?,
        None => value.split(',').next()?,
    };
    let driver = driver.strip_prefix("driver=").unwrap_or(driver);
    let is_told = devices.contains(&format!("dev: {driver}, "));
    (!is_told).then(|| format!("device {driver}=there\n"))
}

/// The seconds since 1970 of a broken-down time (`struct tm`) in UTC.
fn unix(time: &Value) -> Option<i64> {
    let part = |name: &str| time.get(name)?.as_i64();
    let (year, month) = (part("tm_year")? + 1900, part("tm_mon")? + 1);
    let days = days(year, month, part("tm_mday")?);
    Some(((days * 24 + part("tm_hour")?) * 60 + part("tm_min")?) * 60 + part("tm_sec")?)
}

/// The days from 1970-01-01 to a day of the Gregorian calendar: years begin in March, so that the day that
/// some have more is their last, and each 400 years are 146097 days.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    era * 146_097 + of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(devices: &str) -> Answers {
        let mut answers = Answers {
            host_unix: (1_795_667_327, 1_795_667_327),
            words: Some(words(
                "qemu -name guest=a -uuid 1-2 -machine pc-q35-7.2,usb=off,graphics=off -rtc base=utc -device x \
                 -device {\"driver\":\"vmgenid\"} -device hpet,id=a -global kvm-pit.lost_tick_policy=delay \
                 -fw_cfg name=opt/a,string=b",
            )),
            ..Answers::default()
        };
        answers.take(
            Question::Version,
            json!({ "qemu": { "major": 10, "minor": 0, "micro": 13 }, "package": "Debian" }),
        );
        answers.take(
            Question::Memory,
            json!({ "base-memory": 16_777_216, "plugged-memory": 0 }),
        );
        let props = json!({ "socket-id": 0, "core-id": 0 });
        let processor = json!({ "type": "qemu64-x86_64-cpu", "props": props, "vcpus-count": 1,
            "qom-path": "/machine/unattached/device[0]" });
        answers.take(Question::Processors, json!([processor]));
        let last = json!({ "filename": "/last.img" });
        let next = json!({ "filename": "/next.img", "backing-image": last });
        let image = json!({ "virtual-size": 1536, "format": "raw", "backing-image": next });
        let inserted = json!({ "drv": "file", "file": "/a b.img", "ro": true, "image": image });
        answers.take(
            Question::Drives,
            json!([
                { "qdev": "/machine/peripheral/virtio-disk0/virtio-backend", "inserted": inserted },
                { "qdev": "sata0-0-0" },
                { "device": "left" },
            ]),
        );
        let time = json!({ "tm_year": 126, "tm_mon": 10, "tm_mday": 26, "tm_hour": 4, "tm_min": 28,
            "tm_sec": 47 });
        answers.take(Question::Clock, time);
        answers.take(Question::Devices, json!(devices));
        answers
    }

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_answers_make_sections_of_properties() {
        let document = answers("bus: main-system-bus\n  dev: hpet, id \"a\"\n")
            .document()
            .unwrap();
        let expected = "[qemu]\nversion=10.0.13\n[memory]\nbase=16777216\nplugged=0\n\
            [processor core-id=0,socket-id=0]\ntype=qemu64-x86_64-cpu\ncount=1\nthere=true\n\
            [drive sata0-0-0]\n\
            [drive virtio-disk0]\nfile=/a b.img\nbacking=/next.img < /last.img\nformat=raw\nread-only=true\nsize=1536\n\
            [clock]\nahead=0\n[options]\nuuid=1-2\nmachine=pc-q35-7.2\ngraphics=off\nrtc=base=utc\n\
            device x=there\ndevice vmgenid=there\nglobal kvm-pit.lost_tick_policy=delay\n\
            fw_cfg=name=opt/a,string=b\nwatchdog=reset\n[device main-system-bus/hpet a]\n";
        assert_eq!(document, expected);
    }

    #[test]
    fn of_a_machine_all_is_told_that_a_guest_can_tell_and_is_not_as_qemu_has_it_by_itself() {
        for (value, told) in [
            ("pc-q35-7.2,acpi=on,smm=auto,usb=off", ""),
            (
                "type=pc-q35-7.2,smm=off,graphics=off",
                "smm=off\ngraphics=off\n",
            ),
            (
                "pc-q35-7.2,acpi=off,vmport=on,nvdimm=on",
                "acpi=off\nvmport=on\nnvdimm=on\n",
            ),
        ] {
            assert_eq!(
                machine(value),
                format!("machine=pc-q35-7.2\n{told}"),
                "{value}"
            );
        }
        let words = words("qemu -machine pc-q35-7.2 -no-acpi -S");
        assert!(options(&words, "").contains("\nacpi=off\n"));
    }

    #[test]
    fn what_a_watchdog_does_was_said_last_in_either_way() {
        for (line, does) in [
            ("qemu -watchdog-action none -m 16", "none"),
            ("qemu -action panic=pause,watchdog=pause", "pause"),
            (
                "qemu -action watchdog=pause -watchdog-action reset",
                "reset",
            ),
            (
                "qemu -watchdog-action reset -action watchdog=inject-nmi -action reboot=shutdown",
                "inject-nmi",
            ),
            ("qemu -action reboot=shutdown", "reset"),
        ] {
            assert_eq!(watchdog(&words(line)), does, "{line}");
        }
    }

    #[test]
    fn what_was_refused_is_left_out_and_without_devices_there_is_no_document() {
        let mut answers = answers("");
        answers
            .said
            .retain(|(question, _)| *question == Question::Devices);
        answers.words = None;
        assert_eq!(answers.document().as_deref(), Some(""));
        answers.said.clear();
        assert_eq!(answers.document(), None);
    }

    #[test]
    fn a_clock_that_was_asked_slowly_is_known_less_well() {
        assert_eq!(clock(100, (100, 100)), "[clock]\nahead=0\n");
        assert_eq!(clock(100, (99, 104)), "[clock]\nahead=-4..1\n");
    }

    #[test]
    fn a_broken_down_time_is_so_many_seconds_after_1970() {
        for (date, expected) in [
            ((1970, 1, 1), 0),
            ((1999, 12, 31), 10_956),
            ((2000, 2, 29), 11_016),
            ((2000, 3, 1), 11_017),
            ((2026, 11, 26), 20_783),
        ] {
            assert_eq!(days(date.0, date.1, date.2), expected, "{date:?}");
        }
    }
}
