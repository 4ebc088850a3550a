//! The whole line on two real releases. `ci/test` builds them, and runs these tests with
//! `--ignored`; `MIGRATRIX` names the program, which has its client beside it.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use rexpect::session::spawn_command;

/// Below the program's own directories, so that it is on a real disk; the runs stay for a look.
fn place(name: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).expect("there is room for a directory");
    place
}

fn migratrix(place: &Path, arguments: &[&str]) -> Command {
    let program = std::env::var_os("MIGRATRIX").expect("MIGRATRIX names the program");
    let mut command = Command::new(program);
    command.args(arguments).current_dir(place);
    command
}

const PAIR: [&str; 5] = ["run", "--source", "bookworm", "--destination", "trixie"];

fn run(place: &Path, more: &[&str]) -> Output {
    migratrix(place, &[&PAIR, more].concat())
        .output()
        .expect("the program starts")
}

/// A run without libvirt.
fn run_raw(place: &Path, selection: &[&str]) -> Output {
    let mut command = migratrix(place, &[&["run"], selection].concat());
    command.output().expect("the program starts")
}

#[track_caller]
fn passes(output: &Output, words: &str) {
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {out}\n{err}", output.status);
    assert!(out.contains(words), "`{words}` is missing in: {out}");
}

/// How many cases a selection has, as `list` counts them.
#[track_caller]
fn listed(place: &Path, selection: &[&str]) -> usize {
    let mut list = migratrix(place, &[&["list", "--count"], selection].concat());
    let output = list.output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let count = said.trim().parse().expect("it is a number");
    assert!(count > 0, "nothing is selected");
    count
}

/// Runs the selection, and sees to it that `word` is said of all of its cases.
#[track_caller]
fn runs_all(place: &Path, out: &str, selection: &[&str], word: &str) -> Output {
    let output = run_raw(place, &[selection, &["--out", out]].concat());
    passes(&output, &format!("{} {word}", listed(place, selection)));
    output
}

#[test]
#[ignore = "needs the releases bookworm and trixie, see ci/test"]
fn the_96_scenarios_from_bookworm_to_trixie_pass_and_tell_their_versions() {
    let place = place("scenarios");
    let output = run(&place, &["--profile", "tck", "--out", "out"]);
    passes(&output, "960 post-conditions of 96 cases: 960 pass");
    let verdicts = fs::read_to_string(place.join("out/verdicts.jsonl")).expect("it is there");
    for line in verdicts.lines() {
        assert!(
            line.contains(r#""client":"9."#),
            "the client's version is missing in {line}"
        );
        assert!(line.contains(r#""destination_libvirt":"11."#), "{line}");
    }
}

#[test]
#[ignore = "needs the releases bookworm and trixie, see ci/test"]
fn the_default_run_tells_which_hardware_does_not_come_through_and_what_it_has_not_tried() {
    let place = place("default");
    let filtered = [&PAIR[1..], &["-E", "!hardware(minimal)"]].concat();
    let output = runs_all(&place, "out", &filtered, "cases");
    let said = String::from_utf8_lossy(&output.stdout);
    for told in [
        "known failure",
        "host-model",
        "as shipped",
        "not tried: postcopy",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let strict = ["report", "out", "--fail-known"];
    let output = migratrix(&place, &strict).output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
#[ignore = "needs the releases bookworm and trixie, see ci/test"]
fn every_condition_trips_on_a_real_fault_and_a_stopped_daemon_costs_its_deadline() {
    let place = place("faults");
    fs::write(place.join("migratrix.toml"), "[deadlines]\nmigrate = 15\n").expect("it is written");
    let faults = [&PAIR[1..], &["--suite", "faults"]].concat();
    runs_all(&place, "out", &faults, "passed");
}

#[test]
#[ignore = "needs the releases bookworm and trixie, see ci/test"]
fn every_family_of_qemus_own_migration_tests_holds_in_both_directions() {
    let place = place("qemu");
    let both = "bookworm,trixie";
    let of = ["--suite", "qemu", "--source", both, "--destination", both];
    runs_all(&place, "out", &of, "cases");
}

#[test]
#[ignore = "needs the releases bookworm and trixie, see ci/test"]
fn every_proof_of_a_raw_case_trips_on_a_real_fault() {
    let place = place("raw-faults");
    fs::write(place.join("migratrix.toml"), "[deadlines]\nmigrate = 10\n").expect("it is written");
    let suite = ["--suite", "faults", "--backend", "qemu"];
    let faults = [&suite[..], &["--source", "trixie"]].concat();
    let output = runs_all(&place, "out", &faults, "cases");
    // Those of COLO are skipped with this release.
    let without_colo = [&faults[..], &["-E", "!colo-channel(*)"]].concat();
    passes(
        &output,
        &format!("{} passed", listed(&place, &without_colo)),
    );
}

#[test]
#[ignore = "needs the releases bookworm and trixie, see ci/test"]
fn the_cases_of_qemu_iotests_124_hold_and_chains_survive_the_jump() {
    let place = place("backup");
    let both = "bookworm,trixie";
    let of = ["--suite", "backup", "--source", both, "--destination", both];
    for profile in ["iotests-124", "chain"] {
        let all = [&of[..], &["--profile", profile]].concat();
        runs_all(&place, profile, &all, "passed");
    }
}

/// How long a case or two may take on a terminal, in milliseconds.
const ON_A_TERMINAL: u64 = 120_000;

#[test]
#[ignore = "needs the releases bookworm and trixie, see ci/test"]
fn runs_whose_tools_talk_to_terminals_come_to_their_end_on_one() {
    let place = place("terminal");
    let cases = [
        "backup/qemu/trixie,trixie/stay/blockdev-backup/incremental-simple/plain",
        "faults/qemu/trixie,trixie/stay/blockdev-backup/incremental-simple/plain/bitmap-cleared",
    ];
    for (case, out) in cases.into_iter().zip(["backup", "faults"]) {
        let run = migratrix(&place, &["run", "--case", case, "--out", out]);
        let mut terminal = spawn_command(run, Some(ON_A_TERMINAL)).expect("the program starts");
        let said = terminal.exp_eof().expect("it ends");
        let ended = format!("{:?}", terminal.process().wait());
        assert!(ended.ends_with(", 0))"), "{ended}: {said}");
        assert!(said.contains("1 case"), "{said}");
    }
}

#[test]
#[ignore = "needs the releases bookworm and trixie, see ci/test"]
fn chains_of_libvirt_survive_the_migrations_around_which_they_lie() {
    let place = place("checkpoints");
    let chains = ["--suite", "backup", "--profile", "checkpoints"];
    let few = [&PAIR[1..], &chains, &["--cover", "2"]].concat();
    runs_all(&place, "out", &few, "passed");
}

#[test]
#[ignore = "needs the releases bookworm and trixie, see ci/test"]
fn the_processor_time_of_a_run_is_told_by_who_took_it_and_clients_that_are_gone_count() {
    let place = place("processor");
    let output = run(
        &place,
        &["--profile", "tck", "-E", "control(p2p)", "--out", "out"],
    );
    passes(&output, "32 cases");
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = out
        .lines()
        .find_map(|line| line.strip_prefix("processor time: "));
    let line = line.unwrap_or_else(|| panic!("no processor time in {out}"));
    let (all, parts) = line.split_once(" s:").expect("it tells the whole first");
    let seconds = |part: &str| {
        let rest = parts.split_once(part).expect("each part is told").1;
        let number = rest.split_whitespace().next().expect("it is a number");
        number.parse::<f64>().expect("it is a number")
    };
    let parts = ["QEMU", "daemons", "clients", "runner", "others"].map(seconds);
    let all: f64 = all.parse().expect("it is a number");
    assert!((all - parts.iter().sum::<f64>()).abs() < 0.4, "{line}");
    // A client does some thirty calls a case, which is a few percent; when its time was lost,
    // there was next to none. The parts are told in tenths of a second.
    assert!(parts[2] >= 0.1, "{line}");
    assert!(parts[0] > parts[2] + parts[3], "{line}");
}

/// A lab that is up. It is ended with this, however the test ends.
struct Up {
    name: String,
    place: PathBuf,
    outer: Child,
}

impl Up {
    /// Brings it up, under a name that no other lab has.
    fn of(place: &Path, name: &str, releases: &[&str]) -> Self {
        let name = format!("{name}-{}", std::process::id());
        let words = [&["lab", "up", "--name", &name], releases].concat();
        let mut command = migratrix(place, &words);
        let mut outer = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let lines = BufReader::new(outer.stdout.as_mut().expect("it is piped")).lines();
        let last = lines
            .map_while(Result::ok)
            .find(|line| line.starts_with("up until"));
        assert!(last.is_some(), "{name} does not come up");
        Self {
            name,
            place: place.to_owned(),
            outer,
        }
    }

    fn call(&self, words: &[&str]) -> (i32, String) {
        let output = migratrix(&self.place, words).output().expect("it starts");
        let said = [output.stdout, output.stderr].concat();
        let code = output.status.code().expect("it ends by itself");
        (code, String::from_utf8_lossy(&said).into_owned())
    }

    /// The name that the host says it has.
    fn hostname(&self, host: &str) -> (i32, String) {
        self.call(&["lab", "exec", "--lab", &self.name, host, "--", "hostname"])
    }

    fn down(&self) -> (i32, String) {
        self.call(&["lab", "down", &self.name])
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.down();
        let _ = self.outer.kill();
        let _ = self.outer.wait();
    }
}

#[test]
#[ignore = "needs the releases bookworm and trixie, see ci/test"]
fn labs_are_up_side_by_side_and_each_is_ended_alone() {
    let place = place("labs");
    let mut one = Up::of(&place, "one", &["bookworm", "trixie"]);
    let two = Up::of(&place, "two", &["trixie"]);
    let (code, said) = one.call(&["lab", "up", "--name", &one.name, "trixie"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("is up already"), "{said}");
    let (code, said) = one.call(&["lab", "exec", "trixie-s", "--", "hostname"]);
    assert!(code == 2 && said.contains("--lab"), "{said}");
    let (code, said) = one.call(&["lab", "exec", "sid-s", "--", "hostname"]);
    let has = format!("{} has trixie-s, trixie-d", two.name);
    assert!(code == 2 && said.contains(&has), "{said}");
    for lab in [&one, &two] {
        assert_eq!(lab.hostname("trixie-s"), (0, "trixie-s\n".to_owned()));
    }
    assert_eq!(two.down(), (0, format!("lab {} is down\n", two.name)));
    assert_eq!(two.down().0, 2);
    assert_eq!(one.hostname("bookworm-d"), (0, "bookworm-d\n".to_owned()));
    one.outer.kill().expect("it runs");
    one.outer.wait().expect("it was started here");
    assert_eq!(one.down().0, 2);
    // Its name is free, and what it left goes with the next one of it.
    drop(Up::of(&place, "one", &["trixie"]));
}

#[test]
#[ignore = "needs the releases bookworm and trixie, see ci/test"]
fn a_tool_of_ones_own_reaches_the_hosts_as_lab_env_says() {
    let place = place("env");
    let lab = Up::of(&place, "env", &["bookworm", "trixie"]);
    let (code, said) = lab.call(&["lab", "env", "--lab", &lab.name]);
    assert_eq!(code, 0, "{said}");
    let script = format!(
        "{said}\n\
         for uri in $LAB_SOURCE_URI $LAB_DESTINATION_URI $LAB_URI_trixie_s; do\n\
         host=${{uri#*//}}; $LAB_ENTER bash -c \"exec 3<>/dev/tcp/${{host%%/*}}/16509\" && echo reached\n\
         done; echo $LAB_SOURCE $LAB_DESTINATION"
    );
    let shell = Command::new("bash").args(["-c", &script]).output();
    let shell = shell.expect("bash is here");
    assert_eq!(
        String::from_utf8_lossy(&shell.stdout),
        "reached\nreached\nreached\nbookworm-s trixie-d\n",
        "{}",
        String::from_utf8_lossy(&shell.stderr)
    );
    let peer = format!(
        "eval \"{}\"; exec virsh -c $LAB_DESTINATION_URI hostname",
        said.replace('"', "'")
    );
    let (code, said) = lab.call(&[
        "lab",
        "exec",
        "--lab",
        &lab.name,
        "bookworm-s",
        "--",
        "bash",
        "-c",
        &peer,
    ]);
    assert!(code == 0 && said.contains("trixie-d"), "{said}");
}

/// They share no machine type either: what a machine has is known only of one that answers.
#[test]
#[ignore = "needs the releases bookworm and trixie, see ci/test"]
fn machines_that_do_not_answer_make_their_cases_unknown_whatever_they_share() {
    let place = place("silent");
    let host = |name, machine| {
        format!(
            "[hosts.{name}]\nuri = \"qemu+tcp://127.0.0.1:1/system\"\nboot_image = \"/a-b.img\"\n\
             machines = [\"{machine}\"]\n"
        )
    };
    let settings = host("prod-a", "pc-q35-7.2") + &host("prod-b", "pc-q35-9.0");
    fs::write(place.join("migratrix.toml"), settings).expect("it is written");
    let places = ["--client=trixie", "--source=prod-a", "--destination=prod-b"];
    let output = migratrix(&place, &[&["run", "--profile=tck"][..], &places].concat()).output();
    let output = output.expect("the program starts");
    let out = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{out}");
    assert!(out.contains("96 unknown"), "{out}");
    assert!(!out.contains("also failing"), "{out}");
}

#[test]
#[ignore = "needs the releases bookworm and trixie, see ci/test"]
fn a_run_that_is_killed_leaves_nothing_behind_and_goes_on() {
    let place = place("killed");
    let kills =
        std::env::var("MIGRATRIX_KILLS").map_or(3, |kills| kills.parse().expect("a number"));
    for kill in 0..kills {
        let before = verdicts(&place);
        killed_after(&place, kill, Duration::from_millis(1_500 + 700 * kill));
        let after = verdicts(&place);
        assert!(
            after.starts_with(&before),
            "kill {kill}: finished results were lost"
        );
    }
    let output = migratrix(&place, &["run", "--resume", "out"])
        .output()
        .expect("it starts");
    passes(&output, "32 cases");
    assert_eq!(cases_of(&verdicts(&place)), 32);
}

/// Begins the run, or goes on with it, kills it, and waits until nothing of it is left.
fn killed_after(place: &Path, kill: u64, moment: Duration) {
    let begin = [
        &PAIR[..],
        &["--profile", "tck", "-E", "control(p2p)", "--out", "out"],
    ]
    .concat();
    let arguments = if kill == 0 {
        &begin[..]
    } else {
        &["run", "--resume", "out"]
    };
    let mut running = migratrix(place, arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    thread::sleep(moment);
    let outer = running.id().to_string();
    let theirs: BTreeSet<_> = descendants(&outer)
        .iter()
        .flat_map(|pid| namespaces(pid))
        .collect();
    let theirs: BTreeSet<_> = theirs
        .difference(&namespaces("self").into_iter().collect())
        .cloned()
        .collect();
    assert!(
        !theirs.is_empty(),
        "kill {kill}: the run is in no namespaces of its own"
    );
    running.kill().expect("it runs");
    running.wait().expect("it was started here");
    let deadline = Instant::now() + Duration::from_secs(10);
    while let Some(left) =
        processes().find(|pid| namespaces(pid).iter().any(|one| theirs.contains(one)))
    {
        let line = fs::read_to_string(format!("/proc/{left}/cmdline")).unwrap_or_default();
        assert!(
            Instant::now() < deadline,
            "kill {kill}: process {left} is left: {line}"
        );
        thread::yield_now();
    }
}

#[test]
#[ignore = "needs the releases bookworm and trixie, see ci/test"]
fn a_daemon_that_dies_of_a_signal_fails_the_run_and_is_told() {
    let place = place("a-daemon-dies");
    let more = [
        "--profile",
        "tck",
        "--out",
        "out",
        "-E",
        "control(p2p) & state(running)",
    ];
    let mut run = migratrix(&place, &[&PAIR[..], &more].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program is built");
    let deadline = Instant::now() + Duration::from_secs(120);
    while verdicts(&place).is_empty() {
        assert!(Instant::now() < deadline, "no case has a verdict");
        thread::yield_now();
    }
    let below = descendants(&run.id().to_string());
    let is_daemon = |pid: &&String| {
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.starts_with("/usr/sbin/libvirtd")
    };
    let daemon = below.iter().find(is_daemon).expect("a daemon runs");
    let killed = Command::new("kill").args(["-SEGV", daemon]).status();
    assert!(killed.expect("kill is there").success());
    let mut told = String::new();
    let mut out = run.stdout.take().expect("it is piped");
    out.read_to_string(&mut told).expect("it prints text");
    assert_eq!(run.wait().expect("it ends").code(), Some(1), "{told}");
    for words in [
        "host of ",
        " died at ",
        "killed by signal 11 (SIGSEGV)",
        "on it:",
    ] {
        assert!(told.contains(words), "`{words}` is missing in: {told}");
    }
}

#[test]
#[ignore = "needs the releases bookworm and trixie, see ci/test"]
fn a_daemon_that_dies_while_no_case_is_on_it_fails_the_run_and_is_told() {
    let place = place("an-idle-daemon-dies");
    // The hosts of the first pair stand idle once its cases are done.
    let selection = [
        "run",
        "--profile",
        "tck",
        "--jobs",
        "1",
        "--out",
        "out",
        "--as-shipped",
    ];
    let filter = [
        "--source",
        "bookworm,trixie",
        "--destination",
        "trixie",
        "--client",
        "trixie",
    ];
    let few = ["-E", "control(p2p) & state(running) & flag(none)"];
    let mut run = migratrix(&place, &[&selection[..], &filter, &few].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program is built");
    let deadline = Instant::now() + Duration::from_secs(120);
    while !verdicts(&place).contains("trixie,trixie,trixie") {
        assert!(Instant::now() < deadline, "the second pair has no verdict");
        thread::yield_now();
    }
    let below = descendants(&run.id().to_string());
    let is_idle = |pid: &&String| {
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let host = fs::read_to_string(format!("/proc/{pid}/root/etc/hostname"));
        line.starts_with("/usr/sbin/libvirtd") && host.is_ok_and(|name| name.trim() == "bookworm-s")
    };
    let daemon = below.iter().find(is_idle).expect("the idle one runs");
    let killed = Command::new("kill").args(["-SEGV", daemon]).status();
    assert!(killed.expect("kill is there").success());
    let mut told = String::new();
    let mut out = run.stdout.take().expect("it is piped");
    out.read_to_string(&mut told).expect("it prints text");
    assert_eq!(run.wait().expect("it ends").code(), Some(1), "{told}");
    for words in [
        "the source host of bookworm died at ",
        "signal 11 (SIGSEGV)",
        "no case was on it",
    ] {
        assert!(told.contains(words), "`{words}` is missing in: {told}");
    }
}

/// The daemon of trixie dies of it in most attempts, which the list of known failures has.
#[test]
#[ignore = "needs the releases bookworm and trixie, see ci/test"]
fn a_daemon_that_dies_by_a_known_failure_fails_no_run() {
    let place = place("a-daemon-dies-of-a-strike");
    let case = "recovery/libvirt/bookworm,bookworm,trixie/destination-qemu-killed/first-pass/tunnelled/\
                persistent-running-defined/live";
    let output = migratrix(&place, &["run", "--out", "out", "--case", case])
        .output()
        .expect("the program is built");
    passes(&output, "1 case");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(!told.contains("died during the run"), "{told}");
    assert_eq!(verdicts(&place).lines().count(), 1, "it was seen at once");
}

fn verdicts(place: &Path) -> String {
    let text = fs::read_to_string(place.join("out/verdicts.jsonl")).unwrap_or_default();
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    text[..whole].to_owned()
}

/// How many cases the verdicts are of: one that was tried again has a line for each attempt.
fn cases_of(verdicts: &str) -> usize {
    let case = |line| -> String {
        let verdict: serde_json::Value = serde_json::from_str(line).expect("it is JSON");
        verdict["case"].to_string()
    };
    verdicts.lines().map(case).collect::<BTreeSet<_>>().len()
}

fn processes() -> impl Iterator<Item = String> {
    let entries = fs::read_dir("/proc").expect("/proc is there").flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
}

fn descendants(of: &str) -> Vec<String> {
    let children = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    let children = children.split_whitespace();
    children
        .flat_map(|child| [vec![child.to_owned()], descendants(child)].concat())
        .collect()
}

/// What holds mounts, processes and interfaces: when no process is in them, the kernel ends them.
fn namespaces(pid: &str) -> Vec<PathBuf> {
    let of = |kind| fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok();
    ["mnt", "pid", "net"].into_iter().filter_map(of).collect()
}
