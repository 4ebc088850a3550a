//! What the program prints, and where it can't: closed pipes, full disks, terminals.

use std::{
    fs::{self, File},
    io::Read,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    process::{Command, Stdio},
};

use migratrix_matrix::{Axis, Backend, Profile, Suite};
use nix::{
    pty::{Winsize, openpty},
    unistd::dup,
};
use tempfile::TempDir;

fn fresh() -> TempDir {
    tempfile::tempdir().expect("there is room for a directory")
}

fn migratrix(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migratrix"));
    command
        .args(arguments)
        .current_dir(dir)
        .env("MIGRATRIX_CACHE", dir.join("cache"))
        .env_remove("MIGRATRIX_CLIENT")
        .stdin(Stdio::null());
    command
}

const RUN: [&str; 7] = [
    "run",
    "--backend",
    "fake",
    "--profile",
    "tck",
    "-E",
    "control(p2p)",
];

#[test]
fn a_reader_that_wants_no_more_ends_the_printing_quietly() {
    let dir = fresh();
    for arguments in [
        &["list", "--boundary", "bookworm,trixie"][..],
        &["releases"],
        &["--help"],
        &["completions", "bash"],
        &RUN,
    ] {
        let mut running = migratrix(dir.path(), arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program is built");
        drop(running.stdout.take());
        let output = running.wait_with_output().expect("it was started here");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {err}");
        assert!(!err.contains("Broken pipe"), "{arguments:?}: {err}");
    }
}

/// What a call with its standard output in a pipe says, whose reader has read so much.
fn read_in_part(dir: &Path, arguments: &[&str], wanted: usize) -> (Option<i32>, String) {
    let mut running = migratrix(dir, arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program is built");
    let mut out = running.stdout.take().expect("it is piped");
    let mut read = vec![0; wanted];
    out.read_exact(&mut read).expect("it writes as much");
    drop(out);
    let output = running.wait_with_output().expect("it was started here");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), err)
}

#[test]
fn a_reader_that_wants_no_more_of_a_report_ends_its_writing_quietly() {
    let dir = fresh();
    for out in ["old", "new"] {
        let ran = migratrix(dir.path(), &[&RUN[..], &["--out", out]].concat()).output();
        assert!(ran.expect("the program is built").status.success());
    }
    let compare = |option| vec!["compare", "old", "new", option, "/dev/stdout"];
    let report = |option| vec!["report", "old", option, "/dev/stdout"];
    for arguments in [
        compare("--html"),
        compare("--json"),
        report("--html"),
        report("--junit"),
        report("--junit-strict"),
    ] {
        for wanted in [0, 1] {
            let ended = read_in_part(dir.path(), &arguments, wanted);
            assert_eq!(ended, (Some(0), String::new()), "{arguments:?} {wanted}");
        }
    }
}

#[test]
fn a_full_disk_under_the_standard_output_is_an_error_that_names_it() {
    let dir = fresh();
    for arguments in [
        &["list"][..],
        &["releases"],
        &["--help"],
        &["doctor"],
        &["completions", "zsh"],
        &RUN,
    ] {
        let full = File::options().write(true).open("/dev/full");
        let output = migratrix(dir.path(), arguments)
            .stdout(full.expect("it is there"))
            .output()
            .expect("the program is built");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{arguments:?}: {err}");
        let said = err.contains("the standard output: No space left");
        assert!(said, "{arguments:?}: {err}");
    }
}

#[test]
fn a_full_disk_under_a_report_is_nobodys_wrong_use() {
    let dir = fresh();
    let call = |arguments: &[&str]| {
        let output = migratrix(dir.path(), arguments).output();
        output.expect("the program is built")
    };
    call(&[&RUN[..], &["--out", "out"]].concat());
    for option in [
        "--junit",
        "--junit-strict",
        "--html",
        "--json",
        "--markdown",
    ] {
        let output = call(&["report", "out", option, "/dev/full"]);
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{option}: {err}");
        assert_eq!(err.matches("No space left").count(), 1, "{option}: {err}");
    }
}

#[test]
fn a_standard_error_that_can_not_be_written_changes_no_exit_code() {
    let dir = fresh();
    for (arguments, code) in [
        (&["list"][..], 0),
        (&["list", "--suite", "x"], 2),
        (&["--bad"], 2),
        (&RUN, 0),
    ] {
        let full = File::options().write(true).open("/dev/full");
        let output = migratrix(dir.path(), arguments)
            .stderr(full.expect("it is there"))
            .output()
            .expect("the program is built");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn a_hint_names_the_program_as_it_was_called() {
    let dir = fresh();
    let program = dir.path().join("my tools");
    fs::create_dir(&program).expect("there is room");
    let link = program.join("m");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_migratrix"), link).expect("there is room");
    let output = Command::new("./my tools/m")
        .args(["lab", "exec", "trixie-backports-s", "--", "true"])
        .current_dir(dir.path())
        .env("MIGRATRIX_CACHE", dir.path().join("cache"))
        .output()
        .expect("the program is built");
    let err = String::from_utf8_lossy(&output.stderr);
    let hint = "'./my tools/m' releases build trixie-backports";
    assert!(err.contains(hint), "{err}");
}

#[test]
fn every_shell_is_given_completions_and_another_is_refused() {
    let dir = fresh();
    fs::write(dir.path().join("migratrix.toml"), "[[").expect("there is room");
    let of = |shell: &str| {
        let output = migratrix(dir.path(), &["completions", shell]).output();
        output.expect("the program is built")
    };
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = of(shell);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        let script = String::from_utf8_lossy(&output.stdout);
        for word in ["MIGRATRIX_COMPLETE", "migratrix"] {
            assert!(script.contains(word), "{shell}: {word} is not in {script}");
        }
        assert!(!script.contains(env!("CARGO_BIN_EXE_migratrix")), "{shell}");
    }
    let output = of("csh");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("'csh'") && err.contains("fish"), "{err}");
}

/// What a shell offers for the last of these words.
fn completed(dir: &Path, words: &[&str]) -> Vec<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_migratrix"));
    let folder = program.parent().expect("it is in a folder");
    let path = std::env::var("PATH").expect("there is one");
    let path = format!("{}:{path}", folder.display());
    let complete = "source <(migratrix completions bash)
        COMP_WORDS=(migratrix \"$@\") COMP_CWORD=$#
        _clap_complete_migratrix migratrix \"${!#}\"
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let output = Command::new("bash")
        .args(["-c", complete, "bash"])
        .args(words)
        .current_dir(dir)
        .env("PATH", path)
        .env("MIGRATRIX_CACHE", dir.join("cache"))
        .output()
        .expect("there is a shell");
    let offered = String::from_utf8_lossy(&output.stdout);
    offered.lines().map(|one| one.trim().to_owned()).collect()
}

#[test]
fn a_shell_is_offered_options_names_and_the_releases_that_are_built() {
    let dir = fresh();
    for name in ["mine", "minute"] {
        let folder = dir.path().join("cache/releases").join(name);
        fs::create_dir_all(folder.join("root")).expect("there is room");
        let record = format!(
            r#"{{"format":1,"name":"{name}","origin":{{"directory":"/mine"}},"libvirt":"9.8.7","qemu":"7.6.5",
            "machines":[],"packages":[],"added":1}}"#
        );
        fs::write(folder.join("release.json"), record).expect("there is room");
    }
    let offered = |words: &[&str]| completed(dir.path(), words);
    assert_eq!(offered(&["run", "--boun"]), ["--boundary"]);
    assert_eq!(offered(&["run", "--suite", "col"]), ["colo"]);
    assert_eq!(offered(&["run", "--profile", "tck-f"]), ["tck-full"]);
    for side in ["--client", "--source", "--destination"] {
        assert_eq!(offered(&["run", side, "mi"]), ["mine", "minute"], "{side}");
    }
    let second = offered(&["list", "--source", "mine,minu"]);
    assert_eq!(second, ["mine,minute"]);
    assert_eq!(offered(&["run", "--source", "x"]), [""], "there is none");
}

#[test]
fn manual_pages_are_written_into_a_folder_and_nowhere_else() {
    let dir = fresh();
    let output = migratrix(dir.path(), &["man", "share/man1"]).output();
    let output = output.expect("the program is built");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
    let page = fs::read_to_string(dir.path().join("share/man1/migratrix-lab-up.1"));
    assert!(page.expect("it is written").contains("\\-\\-name"));
    fs::write(dir.path().join("file"), "").expect("there is room");
    let output = migratrix(dir.path(), &["man", "file"]).output();
    let output = output.expect("the program is built");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("the manual pages into file"), "{err}");
}

/// What a run of a few seconds shows on a terminal of so many columns, without its styles.
fn run_on_a_terminal(dir: &Path, columns: u16) -> String {
    let slow = "[deadlines]\nmigrate = 1.5\n";
    fs::write(dir.join("migratrix.toml"), slow).expect("there is room");
    let run = ["run", "--backend", "fake", "--suite", "faults"];
    let (shown, code) = on_a_terminal(migratrix(dir, &run), columns);
    assert_eq!(code, Some(0), "{shown}");
    console::strip_ansi_codes(&shown).into_owned()
}

/// What a command shows on a terminal of so many columns, and its exit code.
fn on_a_terminal(command: Command, columns: u16) -> (String, Option<i32>) {
    on_a_screen(command, (24, columns))
}

/// The same of so many rows, which may be none: such a terminal does not say how many.
fn on_a_screen(mut command: Command, (rows, columns): (u16, u16)) -> (String, Option<i32>) {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let pty = openpty(Some(&size), None).expect("there is a terminal");
    let another = |end: &OwnedFd| dup(end.as_fd()).expect("there is room");
    let mut running = command
        .env("TERM", "xterm")
        .stdout(another(&pty.slave))
        .stderr(another(&pty.slave))
        .spawn()
        .expect("the program is built");
    drop((pty.slave, command));
    let (mut shown, mut piece) = (Vec::new(), [0; 4096]);
    let mut screen = File::from(pty.master);
    // The other end's close is told as an error.
    while let Ok(length @ 1..) = screen.read(&mut piece) {
        shown.extend_from_slice(&piece[..length]);
    }
    let ended = running.wait().expect("it was started here");
    (String::from_utf8_lossy(&shown).into_owned(), ended.code())
}

#[test]
fn the_tables_of_a_report_are_no_wider_than_the_terminal() {
    let dir = fresh();
    let run = migratrix(dir.path(), &[&RUN[..], &["--out", "out"]].concat()).output();
    assert!(run.expect("the program is built").status.success());
    let report = || migratrix(dir.path(), &["report", "out"]);
    let table = |text: &str| {
        let (table, _) = text.split_once("\n\n").expect("more follows");
        console::strip_ansi_codes(table).into_owned()
    };
    let piped = report().output().expect("the program is built");
    let piped = table(&String::from_utf8(piped.stdout).expect("it is text"));
    assert_eq!(piped.lines().count(), 2, "{piped}");
    for rows in [24, 0] {
        let (shown, _) = on_a_screen(report(), (rows, 60));
        let shown = table(&shown.replace('\r', ""));
        let widths = shown.lines().map(console::measure_text_width);
        assert!(widths.max().is_some_and(|width| width <= 60), "{shown}");
        // The second block would have nothing but the column of `tunnelled`, in which no case is.
        assert_eq!(shown.lines().count(), 3, "{shown}");
        for head in ["normal", "p2p", "no case by tunnelled"] {
            assert!(shown.contains(head), "{shown}");
        }
    }
}

#[test]
fn what_explains_is_as_wide_as_the_terminal_and_whole_in_a_pipe() {
    let dir = fresh();
    let run = migratrix(dir.path(), &[&RUN[..], &["--out", "out"]].concat()).output();
    assert!(run.expect("the program is built").status.success());
    let explain = || migratrix(dir.path(), &["explain", "out"]);
    let piped = explain().output().expect("the program is built");
    let piped = String::from_utf8(piped.stdout).expect("it is text");
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert!(piped.lines().any(|line| line.len() > 60), "{piped}");
    for columns in [60, 0] {
        let (shown, _) = on_a_terminal(explain(), columns);
        let most = if columns == 0 { 100 } else { columns };
        let widest = shown.lines().map(console::measure_text_width).max();
        assert!(
            widest.is_some_and(|width| width <= usize::from(most)),
            "{shown}"
        );
        assert_eq!(words(&shown), words(&piped));
    }
}

#[test]
fn a_bar_says_what_runs_and_how_many_attempts_there_were_within_the_width() {
    for columns in [120, 60, 30] {
        let dir = fresh();
        let shown = run_on_a_terminal(dir.path(), columns);
        let bars: Vec<_> = shown
            .split(['\r', '\n'])
            .filter(|line| line.contains("attempts"))
            .collect();
        let widest = bars
            .iter()
            .map(|line| console::measure_text_width(line))
            .max();
        assert!(
            widest.is_some_and(|width| width <= usize::from(columns)),
            "{shown}"
        );
        // It goes on by time: no case ends while all of them wait for their deadline.
        assert!(bars.len() >= 3, "{shown}");
        if columns == 120 {
            assert!(
                bars.iter().any(|bar| bar.contains("now normal/")),
                "{shown}"
            );
        }
    }
}

#[test]
fn a_terminal_is_shown_colours_unless_it_is_asked_for_none() {
    let dir = fresh();
    call_run(dir.path());
    for arguments in [&["report", "out"][..], &["--help"], &["list", "--bad"]] {
        let coloured = |no_color: Option<&str>| {
            let mut command = migratrix(dir.path(), arguments);
            command.env_remove("NO_COLOR");
            command.envs(no_color.map(|set| ("NO_COLOR", set)));
            on_a_terminal(command, 100).0.contains('\u{1b}')
        };
        assert!(coloured(None), "{arguments:?}");
        assert!(!coloured(Some("1")), "{arguments:?}");
    }
}

/// A run in `out`.
fn call_run(dir: &Path) {
    let output = migratrix(dir, &[&RUN[..], &["--out", "out"]].concat()).output();
    assert!(output.expect("the program is built").status.success());
}

#[test]
fn without_a_terminal_a_run_says_at_its_start_what_it_is_about() {
    let dir = fresh();
    let output = migratrix(
        dir.path(),
        &[&RUN[..], &["--out", "out", "--jobs", "2"]].concat(),
    )
    .output()
    .expect("the program is built");
    let err = String::from_utf8_lossy(&output.stderr);
    let first = "32 cases, 2 side by side, in out: bookworm → trixie by the client of bookworm";
    assert_eq!(err.lines().next(), Some(first));
}

#[test]
fn a_run_says_at_its_start_between_which_releases_it_goes() {
    let dir = fresh();
    for (places, told) in [
        (
            &["--client", "sid"][..],
            "bookworm → bookworm by the client of sid",
        ),
        (
            &["--source", "trixie", "--destination", "sid"],
            "trixie → sid by the client of trixie",
        ),
        (
            &["--boundary", "bookworm,trixie"],
            "bookworm → bookworm by the client of bookworm, bookworm → bookworm by the client of \
             trixie, bookworm → trixie by the client of bookworm and 5 more",
        ),
    ] {
        let out = [&["--out"], &places[1..2]].concat();
        let output = migratrix(dir.path(), &[&RUN[..], places, &out].concat()).output();
        let output = output.expect("the program is built");
        let err = String::from_utf8_lossy(&output.stderr);
        let first = err.lines().next().expect("it says something");
        assert!(first.ends_with(&format!(": {told}")), "{first}");
    }
}

#[test]
fn the_long_help_tells_the_defaults_and_the_language_of_expressions() {
    let dir = fresh();
    for command in ["run", "list"] {
        let output = migratrix(dir.path(), &[command, "--help"]).output();
        let help = output.expect("the program is built").stdout;
        let help = String::from_utf8_lossy(&help);
        for told in [
            "Where guests come from. Default: bookworm",
            "Where guests go to. Default: trixie where",
            "Whose client library calls. Default: those of the sources",
            "a release, a glob or a version",
            "-E 'x()'",
        ] {
            assert!(help.contains(told), "{told} is not in: {help}");
        }
        let words = Suite::INFO.words.iter().chain(Profile::INFO.words);
        for (word, _) in words.chain(Backend::INFO.words) {
            assert!(
                help.contains(&format!("- {word}:")),
                "{word} is not in: {help}"
            );
        }
        for axis in migratrix_matrix::axes() {
            assert!(
                help.contains(axis.predicate),
                "{} is not in: {help}",
                axis.predicate
            );
        }
        let (_, examples) = help.split_once("Examples:\n").expect("there are some");
        let examples = examples.lines().map(str::trim);
        let examples = examples.map_while(|line| line.strip_prefix("-E '"));
        let examples: Vec<_> = examples.map(|line| line.trim_end_matches('\'')).collect();
        assert_eq!(examples.len(), 3, "{help}");
        for filter in examples
            .iter()
            .chain(&["source(qemu>=10)", "flags(live+persist)"])
        {
            let list = ["list", "--count", "-E", filter];
            let output = migratrix(dir.path(), &list).output();
            let output = output.expect("the program is built");
            let err = String::from_utf8_lossy(&output.stderr);
            assert!(!err.contains("the filter is wrong"), "{filter}: {err}");
        }
    }
}

#[test]
fn a_bare_call_on_a_terminal_says_what_comes_next_and_elsewhere_what_there_is() {
    let dir = fresh();
    let shown = || {
        let (shown, code) = on_a_terminal(migratrix(dir.path(), &[]), 120);
        assert_eq!(code, Some(0), "{shown}");
        shown
    };
    let first = shown();
    assert!(first.contains("No release is built yet."), "{first}");
    for line in [" doctor ", " releases build bookworm trixie "] {
        assert!(first.contains(line), "{line} is not in {first}");
    }
    let run = migratrix(dir.path(), &[&RUN[..], &["--out", "runs/one"]].concat()).output();
    assert_eq!(run.expect("the program is built").status.code(), Some(0));
    let then = shown();
    assert!(
        then.contains("The newest run is runs/one: 32 passed (in memory: no QEMU ran)."),
        "{then}"
    );
    assert!(then.contains(" report runs/one "), "{then}");
    assert!(then.contains("runs/one/index.html "), "{then}");
    assert!(!then.contains("--last-failed"), "{then}");
    let piped = migratrix(dir.path(), &[]).output();
    let piped = piped.expect("the program is built");
    assert_eq!(piped.status.code(), Some(2));
    let help = String::from_utf8_lossy(&piped.stderr);
    assert!(help.contains("Usage: migratrix"), "{help}");
}

/// The quick start in a folder where the builds do nothing.
#[test]
fn what_the_quick_start_says_comes_next_works_as_it_is_printed() {
    let dir = fresh();
    let root = dir.path().join("a folder");
    for folder in ["ci", "bin", "target/release"] {
        fs::create_dir_all(root.join(folder)).expect("there is room");
    }
    let quickstart = Path::new(env!("CARGO_MANIFEST_DIR")).join("quickstart");
    fs::copy(quickstart, root.join("ci/quickstart")).expect("there is room");
    for program in [
        "ci/setup",
        "ci/build-client",
        "bin/cargo",
        "target/release/migratrix",
    ] {
        script(&root.join(program));
    }
    let path = std::env::var("PATH").expect("there is one");
    let output = Command::new(root.join("ci/quickstart"))
        .env("PATH", format!("{}:{path}", root.join("bin").display()))
        .output()
        .expect("it is a script");
    let out = String::from_utf8_lossy(&output.stdout);
    let (_, next) = out.split_once("What comes next:\n").expect("it says so");
    let lines = next.lines().filter_map(|line| line.strip_prefix("  "));
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), 2, "{out}");
    for line in lines {
        let elsewhere = Command::new("bash")
            .args(["-c", line])
            .current_dir("/")
            .status();
        assert!(elsewhere.expect("there is a shell").success(), "{line}");
    }
    assert_eq!(output.status.code(), Some(0));
}

/// A program that does nothing.
fn script(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, "#!/bin/sh\nexit 0\n").expect("there is room");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
}
