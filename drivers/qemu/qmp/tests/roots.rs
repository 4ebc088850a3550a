//! What the real QEMUs of releases can do, against what was measured by hand.
//!
//! `MIGRATRIX_TEST_ROOTS=/roots/bullseye:/roots/trixie cargo test -p migratrix-qmp --test roots -- --ignored --nocapture`

use std::{
    env, fs,
    path::Path,
    time::{Duration, Instant},
};

use migratrix_qmp::{
    Binary, Endianness, JobStatus, Launch, MigrationStatus, QapiEnum, QemuCaps, QemuCapsCache,
    RunState, Width,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;

const LONG: Duration = Duration::from_secs(20);

/// A thing, and the first and the last of 5.2, 7.2, 10.0 and 11.1 that have it.
type Row = (&'static str, u32, u32);

const CAPABILITIES: &[Row] = &[
    ("xbzrle", 5, 11),
    ("postcopy-ram", 5, 11),
    ("multifd", 5, 11),
    ("validate-uuid", 5, 11),
    ("x-colo", 5, 11),
    ("zero-blocks", 5, 10),
    ("compress", 5, 7),
    ("block", 5, 7),
    ("background-snapshot", 7, 11),
    ("zero-copy-send", 7, 11),
    ("postcopy-preempt", 7, 11),
    ("switchover-ack", 10, 11),
    ("dirty-limit", 10, 11),
    ("mapped-ram", 10, 11),
];

const PARAMETERS: &[Row] = &[
    ("downtime-limit", 5, 11),
    ("max-bandwidth", 5, 11),
    ("block-bitmap-mapping", 5, 11),
    ("multifd-zstd-level", 5, 11),
    ("compress-level", 5, 7),
    ("block-incremental", 5, 7),
    ("avail-switchover-bandwidth", 10, 11),
    ("mode", 10, 11),
    ("zero-page-detection", 10, 11),
    ("direct-io", 10, 11),
    ("cpr-exec-command", 11, 11),
];

const COMMANDS: &[Row] = &[
    ("migrate", 5, 11),
    ("migrate-recover", 5, 11),
    ("x-colo-lost-heartbeat", 5, 11),
    ("migrate_set_speed", 5, 5),
    ("migrate-set-cache-size", 5, 5),
    ("snapshot-save", 7, 11),
    ("yank", 7, 11),
    ("query-migrationthreads", 10, 10),
];

/// `command` and, after a slash, the way to one of its arguments.
const ARGUMENTS: &[Row] = &[
    ("migrate/uri", 5, 11),
    ("migrate/resume", 5, 11),
    ("migrate/blk", 5, 7),
    ("migrate/detach", 5, 10),
    ("migrate/channels", 10, 11),
    ("migrate/channels.addr.transport", 10, 11),
    ("migrate-incoming/channels", 10, 11),
    ("migrate-incoming/exit-on-error", 10, 11),
    ("migrate-recover/channels", 99, 99),
    ("calc-dirty-rate/calc-time", 5, 11),
    ("calc-dirty-rate/mode", 7, 11),
    ("calc-dirty-rate/calc-time-unit", 10, 11),
    ("object-add/props", 5, 5),
];

const RETURNED: &[Row] = &[
    ("query-migrate/disk", 5, 7),
    ("query-migrate/ram.skipped", 5, 7),
    ("query-migrate/blocked-reasons", 7, 11),
    ("query-migrate/remaining", 11, 11),
];

const WORDS: &[(QapiEnum, &str, u32, u32)] = &[
    (QapiEnum::MigrationCapability, "xbzrle", 5, 11),
    (QapiEnum::MigrationCapability, "mapped-ram", 10, 11),
    (QapiEnum::MigrationStatus, "completed", 5, 11),
    (QapiEnum::MigrationStatus, "postcopy-recover-setup", 10, 11),
    (QapiEnum::MigrationStatus, "failing", 11, 11),
    (QapiEnum::MigMode, "cpr-reboot", 10, 11),
    (QapiEnum::MigMode, "cpr-exec", 11, 11),
    (QapiEnum::MultiFdCompression, "zlib", 5, 11),
    (QapiEnum::MultiFdCompression, "zstd", 7, 11),
    (QapiEnum::ZeroPageDetection, "multifd", 10, 11),
    (QapiEnum::MigrationChannelType, "main", 10, 11),
    (QapiEnum::MigrationAddressType, "file", 10, 11),
    (QapiEnum::BlockdevDriver, "blkdebug", 5, 11),
    (QapiEnum::BlockdevDriver, "copy-before-write", 7, 11),
    (QapiEnum::ObjectType, "memory-backend-ram", 7, 11),
    (QapiEnum::RunState, "postmigrate", 5, 11),
];

/// By the version's first number: capabilities, pc-q35, pc-i440fx, states of a migration.
const COUNTS: &[(u32, [usize; 4])] = &[
    (5, [18, 18, 25, 14]),
    (7, [21, 24, 31, 14]),
    (10, [22, 31, 30, 15]),
    (11, [21, 18, 18, 17]),
];

fn roots() -> Vec<Binary> {
    let roots = env::var_os("MIGRATRIX_TEST_ROOTS").expect("MIGRATRIX_TEST_ROOTS=dir1:dir2 is set");
    env::split_paths(&roots)
        .map(|root| Binary::of_root(&root).unwrap())
        .collect()
}

fn machines(abilities: &QemuCaps, family: &str) -> usize {
    abilities
        .machines()
        .filter(|name| name.starts_with(family))
        .count()
}

fn split(row: &str) -> (&str, &str) {
    row.split_once('/').unwrap()
}

fn assert_as_measured(abilities: &QemuCaps) {
    let major = abilities.version.major;
    let check = |rows: &[Row], has: &dyn Fn(&str) -> bool| {
        for (thing, first, last) in rows {
            let expected = (*first..=*last).contains(&major);
            assert_eq!(has(thing), expected, "{thing} in {}", abilities.version);
        }
    };
    check(CAPABILITIES, &|capability| {
        abilities.has_capability(capability)
    });
    check(PARAMETERS, &|parameter| abilities.has_parameter(parameter));
    check(COMMANDS, &|command| abilities.has_command(command));
    check(ARGUMENTS, &|row| {
        abilities.command_takes(split(row).0, split(row).1)
    });
    check(RETURNED, &|row| {
        abilities.command_returns(split(row).0, split(row).1)
    });
    for (of, word, first, last) in WORDS {
        let expected = (*first..=*last).contains(&major);
        assert_eq!(
            abilities.enum_has(*of, word),
            expected,
            "{of:?} {word} in {}",
            abilities.version
        );
    }
    let counts = [
        abilities.capabilities.len(),
        machines(abilities, "pc-q35-"),
        machines(abilities, "pc-i440fx-"),
        abilities.words(QapiEnum::MigrationStatus).len(),
    ];
    assert!(
        COUNTS.contains(&(major, counts)),
        "{counts:?} in {}",
        abilities.version
    );
}

fn assert_common(abilities: &QemuCaps) {
    assert!(
        abilities.capabilities.values().all(|on| !on),
        "no capability is on by default"
    );
    assert_eq!(abilities.parameters["downtime-limit"], json!(300));
    assert!(abilities.machines.contains_key("pc-q35-5.2"));
    assert_eq!(
        abilities.machines["pc-q35-5.2"].deprecated,
        abilities.version.major >= 10
    );
    assert!(abilities.has_device("virtio-blk-pci") && !abilities.has_device("no-such"));
    assert!(abilities.has_event("MIGRATION") && !abilities.has_event("migrate"));
    assert!(abilities.schema.is_out_of_band("migrate-recover"));
    assert!(abilities.schema.is_out_of_band("migrate-pause"));
    assert!(!abilities.schema.is_out_of_band("migrate"));
}

/// No release has a state that is not known here by its name.
fn assert_states_are_known(abilities: &QemuCaps) {
    let assert_all = |of: QapiEnum, is_known: fn(&str) -> bool| {
        let words = abilities.words(of);
        let unknown: Vec<&&str> = words.iter().filter(|word| !is_known(word)).collect();
        assert!(!words.is_empty(), "{of:?} in {}", abilities.version);
        assert!(unknown.is_empty(), "{unknown:?} in {}", abilities.version);
    };
    assert_all(QapiEnum::MigrationStatus, |word| {
        MigrationStatus::from(word).is_known()
    });
    assert_all(QapiEnum::RunState, |word| RunState::from(word).is_known());
    assert_all(QapiEnum::JobStatus, |word| JobStatus::from(word).is_known());
}

#[tokio::test]
#[ignore = "needs the roots of releases, named by MIGRATRIX_TEST_ROOTS=dir1:dir2"]
async fn the_abilities_of_each_release_are_as_measured() {
    let folder = tempfile::tempdir().unwrap();
    let cache = QemuCapsCache::new(folder.path().join("abilities"));
    for binary in roots() {
        let began = Instant::now();
        let probed = QemuCaps::probe(&binary, LONG).await.unwrap();
        let probe = began.elapsed();
        assert_as_measured(&probed);
        assert_common(&probed);
        assert_states_are_known(&probed);
        assert_eq!(cache.abilities(&binary, LONG).await.unwrap(), probed);
        let began = Instant::now();
        assert_eq!(cache.abilities(&binary, LONG).await.unwrap(), probed);
        println!(
            "{}: probe {probe:.0?}, from the cache {:.0?}",
            probed.version,
            began.elapsed()
        );
    }
    assert_damage_is_mended(&cache, folder.path()).await;
}

async fn assert_damage_is_mended(cache: &QemuCapsCache, folder: &Path) {
    let files = || {
        fs::read_dir(folder.join("abilities"))
            .unwrap()
            .map(|file| file.unwrap().path())
    };
    let whole: Vec<Vec<u8>> = files().map(|file| fs::read(file).unwrap()).collect();
    for (file, whole) in files().zip(&whole) {
        fs::write(file, &whole[..whole.len() / 2]).unwrap();
    }
    for binary in roots() {
        cache.abilities(&binary, LONG).await.unwrap();
    }
    let mended: Vec<Vec<u8>> = files().map(|file| fs::read(file).unwrap()).collect();
    assert_eq!(mended, whole);
}

#[tokio::test]
#[ignore = "needs the roots of releases, named by MIGRATRIX_TEST_ROOTS=dir1:dir2"]
async fn each_release_speaks_qmp_and_qtest_over_sockets_that_it_inherits() {
    for binary in roots() {
        let launch = Launch::new(binary)
            .arguments(["-machine", "pc-q35-5.2", "-accel", "tcg", "-m", "16", "-S"])
            .arguments(["-nodefaults", "-display", "none"])
            .with_qtest();
        let (mut fastest, mut version) = (Duration::MAX, None);
        for _ in 0..5 {
            let began = Instant::now();
            let mut qemu = launch.start(LONG).await.unwrap();
            fastest = fastest.min(began.elapsed());
            assert_memory_and_ports(&mut qemu).await;
            assert_events(&mut qemu).await;
            version = Some(qemu.qmp().greeting().version);
            assert!(
                qemu.stderr().lines().all(|line| line.contains("warning")),
                "{}",
                qemu.stderr()
            );
            assert!(qemu.quit(LONG).await.unwrap().success());
        }
        println!(
            "{}: start to QMP ready {fastest:.1?} at the least",
            version.unwrap()
        );
    }
}

async fn assert_memory_and_ports(qemu: &mut migratrix_qmp::Qemu) {
    let qtest = qemu.qtest().unwrap();
    assert_eq!(qtest.endianness(LONG).await.unwrap(), Endianness::Little);
    let bytes: Vec<u8> = (0..600_001_u32).map(|at| (at % 251) as u8).collect();
    let size = bytes.len() as u64;
    qtest.write_memory(0x10_0000, &bytes, LONG).await.unwrap();
    assert_eq!(
        qtest.read_memory(0x10_0000, size, LONG).await.unwrap(),
        bytes
    );
    assert_eq!(
        qtest.read_memory_hex(0x10_0000, size, LONG).await.unwrap(),
        bytes
    );
    qtest
        .write(Width::Quad, 0x20_0000, 0x0102_0304_dead_beef, LONG)
        .await
        .unwrap();
    assert_eq!(
        qtest.read(Width::Long, 0x20_0000, LONG).await.unwrap(),
        0xdead_beef
    );
    assert_eq!(
        qtest.read(Width::Byte, 0x20_0000, LONG).await.unwrap(),
        0xef
    );
    assert!(qtest.read_memory(0, 0, LONG).await.unwrap().is_empty());
    let port = qtest.port_in(Width::Byte, 0x3f8, LONG).await.unwrap();
    assert_eq!(port, 0xff, "there is no serial port");
    let refusal = qtest.clock_step(None, LONG).await.unwrap_err().to_string();
    assert!(refusal.contains("`clock_step` was refused"), "{refusal}");
}

async fn assert_events(qemu: &mut migratrix_qmp::Qemu) {
    let mut events = qemu.qmp().events();
    qemu.qmp().ask("cont", json!({}), LONG).await.unwrap();
    let resumed = events.wait_for("RESUME", LONG).await.unwrap();
    assert!(resumed.at.is_some());
    let refusal = qemu
        .execute("no-such-command", json!({}), LONG)
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(refusal.class, "CommandNotFound");
    let refusal = qemu
        .qmp()
        .execute_out_of_band("migrate-pause", json!({}), LONG)
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(refusal.class, "GenericError");
}

#[tokio::test]
#[ignore = "needs the roots of releases, named by MIGRATRIX_TEST_ROOTS=dir1:dir2"]
async fn a_qemu_that_refuses_its_arguments_is_told_at_once_with_its_words() {
    for binary in roots() {
        let began = Instant::now();
        let launch = Launch::new(binary).arguments(["-machine", "pc-q35-99.9"]);
        let error = launch.start(LONG).await.unwrap_err().to_string();
        assert!(
            error.contains("exit status: 1") && error.contains("machine type"),
            "{error}"
        );
        assert!(began.elapsed() < LONG / 2);
    }
}

#[tokio::test]
#[ignore = "needs the roots of releases, named by MIGRATRIX_TEST_ROOTS=dir1:dir2"]
async fn a_qemu_that_is_killed_while_we_wait_is_told_at_once() {
    for binary in roots() {
        let launch = Launch::new(binary).arguments(["-machine", "none", "-S", "-display", "none"]);
        let mut qemu = launch.start(LONG).await.unwrap();
        let pid = Pid::from_raw(qemu.pid().unwrap().try_into().unwrap());
        kill(pid, Signal::SIGKILL).unwrap();
        let error = qemu
            .execute("query-status", json!({}), LONG)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("signal: 9"), "{error}");
    }
}
