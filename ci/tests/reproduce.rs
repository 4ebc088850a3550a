//! Scripts that show a case without this program: from what a run left, and without one.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

#[expect(dead_code, reason = "these tests need few of the helpers")]
mod common;

use common::{Said, call, file_of, fresh, refuses};

const FAKE: &str = "tck/fake/bookworm,bookworm,trixie/p2p/persistent-running-undefined/live";
const LIBVIRT: &str = "tck/libvirt/a,a,b/p2p/persistent-running-undefined/live";
const RAW: &str = "qemu/qemu/a,b/precopy/unix/running/virtio-blk";

/// A name that does harm wherever it is no word, as JSON has it.
const HOSTILE: &str = r#"m'\"; touch harmed #$(touch harmed)`touch harmed`\nEND\ntouch harmed"#;

const RAW_HISTORY: &str = r#"{"format":1,"case":"CASE","attempt":1,"began_unix":1795663941,"domain":"DOMAIN","uuid":"6d780000-0001-4001-8000-a82600000074","machine":"pc-q35-10.0","guest":{"start":1048576,"end":2097152,"pace_us":10000,"suspend":false,"flush":true},"downtime_bound_ms":5000}
{"at_us":2,"saw":"versions","source_qemu":"10.0.13"}
{"at_us":3,"saw":"versions","destination_qemu":"11.1.3"}
{"at_us":4,"saw":"began","verb":"configure","step":"configure source"}
{"at_us":5,"saw":"command","side":"source","command":"migrate-set-capabilities","arguments":{"capabilities":[]}}
{"at_us":6,"saw":"ended","verb":"configure","step":"configure source","end":"done"}
{"at_us":7,"saw":"began","verb":"migrate","step":"migrate"}
{"at_us":8,"saw":"ended","verb":"migrate","step":"migrate","end":"refused","code":0,"domain":0,"message":"DOMAIN"}
{"saw":"end"}
"#;

/// The run in `dir`, as one of a real back end whose case has this name, and this history.
fn run_of(dir: &Path, case: &str, history: &str) {
    let said = call(dir, &["run", "--case", FAKE, "--out", "out"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let plan = file_of(dir, "plan.json").replace(FAKE, case);
    fs::write(dir.join("out/plan.json"), plan).expect("it is written");
    let file = format!("out/history/{}.jsonl", case.replace('/', "~"));
    fs::write(dir.join(file), history).expect("it is written");
}

fn script_of(dir: &Path, case: &str) -> String {
    let said = call(dir, &["reproduce", case, "--run", "out"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    said.out
}

/// That a shell takes the script, and a checker of shells as well where there is one.
fn is_sound(dir: &Path, script: &str) {
    let file = dir.join("script");
    fs::write(&file, script).expect("it is written");
    for checker in [&["sh", "-n"][..], &["shellcheck"]] {
        let mut command = Command::new(checker[0]);
        let output = command.args(&checker[1..]).arg(&file).output();
        if let Ok(output) = output {
            let Said { code, out, err } = Said::of(&output);
            assert_eq!(code, 0, "{checker:?}: {out}{err}");
        }
    }
    let python = script.split_once("python3 -u - <<'");
    if let Some((_, python)) = python {
        let (end, python) = python.split_once("'\n").expect("the document begins");
        let (python, _) = python.split_once(&format!("\n{end}\n")).expect("it ends");
        fs::write(dir.join("player.py"), python).expect("it is written");
        let mut command = Command::new("python3");
        command
            .args(["-m", "py_compile", "player.py"])
            .current_dir(dir);
        if let Ok(status) = command.status() {
            assert!(status.success(), "{python}");
        }
    }
}

/// What comes of the script where there is no hypervisor.
fn without_a_hypervisor(dir: &Path) -> i32 {
    let mut command = Command::new("sh");
    command.arg("script").current_dir(dir).stdout(Stdio::null());
    for name in ["SRC_QEMU", "DST_QEMU", "VIRSH"] {
        command.env(name, "false");
    }
    for (name, value) in [
        ("SRC_URI", "a"),
        ("DST_URI", "b"),
        ("SRC_RUN", "false"),
        ("DST_RUN", "false"),
    ] {
        command.env(name, value);
    }
    let status = command.stderr(Stdio::null()).status().expect("sh is here");
    status.code().expect("it ends by itself")
}

#[test]
fn the_script_of_a_raw_case_is_sound_and_nothing_in_its_history_is_run() {
    let dir = fresh();
    let history = RAW_HISTORY.replace("CASE", RAW).replace("DOMAIN", HOSTILE);
    run_of(dir.path(), RAW, &history);
    let script = script_of(dir.path(), RAW);
    is_sound(dir.path(), &script);
    for due in [
        "# source: QEMU 10.0.13 (a)\n# destination: QEMU 11.1.3 (b)\n",
        "# what is seen:\n",
        "truncate -s 516096 \"$DIR/boot\"\ntruncate -s 1048576 \"$DIR/disk\"\n",
        "-incoming defer \\\n",
        "send(source, \"migrate-set-capabilities\", {\"capabilities\":[]})",
    ] {
        assert!(script.contains(due), "{due}: {script}");
    }
    assert_eq!(without_a_hypervisor(dir.path()), 2);
    assert!(!dir.path().join("harmed").exists());
}

#[test]
fn a_qemu_that_does_not_start_is_named_by_its_side_and_its_variable() {
    let dir = fresh();
    let history = RAW_HISTORY.replace("CASE", RAW).replace("DOMAIN", "m");
    run_of(dir.path(), RAW, &history);
    let script = script_of(dir.path(), RAW);
    fs::write(dir.path().join("script"), script).expect("it is written");
    for (source, destination, due) in [
        (
            "/none/qemu -x",
            "false",
            ["/none/qemu is not there", "by SRC_QEMU"],
        ),
        (
            "true",
            "none-such",
            ["none-such is not there", "by DST_QEMU"],
        ),
        (
            "false",
            "false",
            ["the source's QEMU has ended", "by SRC_QEMU"],
        ),
    ] {
        let mut command = Command::new("sh");
        let command = command.arg("script").current_dir(dir.path());
        let command = command.env("SRC_QEMU", source).env("DST_QEMU", destination);
        let Said { code, out, .. } = Said::of(&command.output().expect("sh is here"));
        assert_eq!(code, 2, "{out}");
        for due in due {
            assert!(out.contains(due) && out.starts_with("NOT TRIED: "), "{out}");
        }
    }
}

#[test]
fn the_script_of_a_libvirt_case_is_sound_and_nothing_in_its_history_is_run() {
    let dir = fresh();
    let history = RAW_HISTORY
        .replace("CASE", LIBVIRT)
        .replace("DOMAIN", HOSTILE);
    run_of(dir.path(), LIBVIRT, &history);
    let script = script_of(dir.path(), LIBVIRT);
    is_sound(dir.path(), &script);
    assert!(
        script.contains("migrate --p2p --live --bandwidth 8 \"$NAME\""),
        "{script}"
    );
    assert_eq!(without_a_hypervisor(dir.path()), 2);
    assert!(!dir.path().join("harmed").exists());
}

#[test]
fn what_has_no_script_says_why_and_what_to_do() {
    let dir = fresh();
    let history = RAW_HISTORY.replace("CASE", RAW).replace("DOMAIN", "m");
    run_of(dir.path(), RAW, &history);
    let colo = "colo/qemu/a,b/multifd-channel/primary/checkpoint/plain";
    let other = "qemu/qemu/a,b/precopy/tcp/running/plain";
    for (words, due) in [
        (&["reproduce", RAW][..], &["run it", "--run"][..]),
        (
            &["reproduce", other, "--run", "out"],
            &["was not run there", other],
        ),
        (
            &["reproduce", RAW, "--run", "nowhere"],
            &["nowhere is not a run"],
        ),
        (&["reproduce", FAKE], &["the hypervisor in memory"]),
        (&["reproduce", colo], &["is lost", "give the history"]),
        (&["reproduce", "nothing"], &["not the name of a case"]),
        (
            &[
                "reproduce",
                &LIBVIRT.replace("/a,a,b/", "/trixie,trixie,sid/"),
            ],
            &["build its releases", "--run"],
        ),
    ] {
        refuses(&call(dir.path(), words), 2, due);
    }
}

#[test]
fn a_history_of_another_case_shows_nothing() {
    let dir = fresh();
    let other = "qemu/qemu/a,b/precopy/tcp/running/plain";
    let history = RAW_HISTORY.replace("CASE", other).replace("DOMAIN", "m");
    run_of(dir.path(), RAW, &history);
    let said = call(dir.path(), &["reproduce", RAW, "--run", "out"]);
    refuses(&said, 2, &["is one of", other]);
}

#[test]
fn a_script_by_a_history_that_is_cut_says_that_it_is_incomplete_and_ends_in_3() {
    let dir = fresh();
    let dir = dir.path();
    let history = RAW_HISTORY.replace("CASE", RAW);
    let lines: Vec<_> = history.lines().take(8).collect();
    run_of(dir, RAW, &(lines.join("\n") + "\n"));
    let said = call(dir, &["reproduce", RAW, "--run", "out"]);
    assert_eq!(said.code, 3, "{}", said.err);
    for word in ["incomplete", "history/qemu~qemu~a,b~precopy", "line 9"] {
        assert!(said.err.contains(word), "{word}: {}", said.err);
    }
    assert!(
        said.out
            .contains("incomplete: the history is cut at line 9")
    );
}

#[test]
fn a_history_of_the_attempt_0_is_refused_by_its_file_and_line() {
    let dir = fresh();
    let dir = dir.path();
    let history = RAW_HISTORY.replace("CASE", RAW);
    run_of(dir, RAW, &history.replace("\"attempt\":1", "\"attempt\":0"));
    let said = call(dir, &["reproduce", RAW, "--run", "out"]);
    refuses(
        &said,
        2,
        &[
            "history/qemu~qemu~a,b~precopy",
            "line 1",
            "attempt 0",
            "counted from 1",
        ],
    );
}
