//! Runs that several machines share: `--shard auto`, and the files of `ci/pipelines`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::common::{Said, call, fresh, refuses};

/// Calls the program in `dir` with these variables alone, beside its own.
fn call_with(dir: &Path, variables: &[(&str, String)], arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migratrix"));
    command
        .args(arguments)
        .current_dir(dir)
        .env_clear()
        .env("MIGRATRIX_CACHE", dir.join("cache"));
    for (name, value) in variables {
        command.env(name, value);
    }
    Said::of(&command.output().expect("the program is built"))
}

/// A job of a CI system: the variables of the job at a place, from 0, of so many.
type Job = fn(u32, u32) -> Vec<(&'static str, String)>;

const SYSTEMS: [(&str, Job); 5] = [
    ("GitLab CI", |place, count| {
        vec![
            ("CI_NODE_INDEX", (place + 1).to_string()),
            ("CI_NODE_TOTAL", count.to_string()),
        ]
    }),
    ("GitHub Actions", |place, count| {
        vec![
            ("STRATEGY_JOB_INDEX", place.to_string()),
            ("STRATEGY_JOB_TOTAL", count.to_string()),
        ]
    }),
    ("Jenkins", |place, count| {
        vec![
            ("SHARD_INDEX", (place + 1).to_string()),
            ("SHARD_COUNT", count.to_string()),
        ]
    }),
    ("Kubernetes", |place, count| {
        vec![
            ("JOB_COMPLETION_INDEX", place.to_string()),
            ("JOB_COMPLETIONS", count.to_string()),
        ]
    }),
    ("Slurm", |place, count| {
        vec![
            ("SLURM_ARRAY_TASK_ID", (place + 7).to_string()),
            ("SLURM_ARRAY_TASK_COUNT", count.to_string()),
            ("SLURM_ARRAY_TASK_MIN", "7".to_owned()),
            ("SLURM_ARRAY_TASK_MAX", (6 + count).to_string()),
        ]
    }),
];

/// A selection of which a third is not as expected.
fn selection(dir: &Path) -> Vec<&'static str> {
    let list =
        "[[known]]\ncases = \"control(p2p)\"\nconditions = [\"statistics\"]\nreason = \"r\"\n";
    fs::write(dir.join("known.toml"), list).expect("there is room");
    let state = "state(paused) & flags(none)";
    [
        "--backend=fake",
        "--profile=tck",
        "--known=known.toml",
        "-E",
        state,
    ]
    .into()
}

/// What a report of these runs counts, and the groups that it finds.
fn figures(dir: &Path, runs: &[&str]) -> (serde_json::Value, serde_json::Value) {
    let said = call(dir, &[&["report", "--json=all.json"], runs].concat());
    assert_eq!(said.code, 1, "{}", said.err);
    let text = fs::read_to_string(dir.join("all.json")).expect("it is written");
    let mut all: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    for group in all["groups"].as_array_mut().expect("it has groups") {
        // Each run has its files in its own directory.
        group["seen"].take();
    }
    (all["cases"].take(), all["groups"].take())
}

#[test]
fn the_jobs_of_each_system_share_a_run_and_their_report_is_that_of_one_run() {
    let dir = fresh();
    let selection = selection(dir.path());
    let run = |variables: &[(&str, String)], more: &[&str]| {
        call_with(
            dir.path(),
            variables,
            &[&["run"], &selection[..], more].concat(),
        )
    };
    assert_eq!(run(&[], &["--out=whole"]).code, 1);
    let whole = figures(dir.path(), &["whole"]);
    assert!(
        whole.0.to_string().contains("unexpected-pass"),
        "{}",
        whole.0
    );
    for (system, job) in SYSTEMS {
        let outs = [0, 1, 2].map(|place| format!("{system}-{place}"));
        for (place, out) in (0..).zip(&outs) {
            let said = run(&job(place, 3), &["--shard=auto", "--out", out]);
            let told = format!("--shard auto: hash:{}/3 by ", place + 1);
            assert!(said.err.starts_with(&told), "{system}: {}", said.err);
            assert!(
                said.err.contains(&format!(" of {system}\n")),
                "{}",
                said.err
            );
        }
        let outs: Vec<_> = outs.iter().map(String::as_str).collect();
        assert_eq!(figures(dir.path(), &outs), whole, "{system}");
        let two = call(dir.path(), &["report", outs[0], outs[2]]);
        assert!(
            two.out.contains("a shard is missing: hash:2/3"),
            "{}",
            two.out
        );
    }
}

#[test]
fn an_environment_that_names_no_shard_is_wrong_use_and_begins_no_run() {
    let dir = fresh();
    let one = |name, value: &str| (name, value.to_owned());
    for (variables, words) in [
        (vec![], &["finds no variable", "CI_NODE_INDEX"][..]),
        (
            vec![one("CI_NODE_TOTAL", "1")],
            &["CI_NODE_INDEX is not set"],
        ),
        (
            vec![one("SHARD_INDEX", "x"), one("SHARD_COUNT", "2")],
            &["SHARD_INDEX=`x`"],
        ),
        (
            vec![one("SHARD_INDEX", "3"), one("SHARD_COUNT", "2")],
            &["SHARD_INDEX=3", "from 1 to 2"],
        ),
    ] {
        let run = ["run", "--backend=fake", "--shard=auto", "--out=out"];
        refuses(&call_with(dir.path(), &variables, &run), 2, words);
        assert!(!dir.path().join("out").exists());
    }
    let slice = SYSTEMS[0].1(1, 2);
    let said = call_with(dir.path(), &slice, &["list", "--shard=slice:auto"]);
    assert!(
        said.err.contains("slice:2/2 by CI_NODE_INDEX=2"),
        "{}",
        said.err
    );
    let typed = call(dir.path(), &["list", "--shard=slice:2/2"]);
    assert_eq!(said.out, typed.out);
}

/// The files of the pipelines.
fn pipelines() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    let files = fs::read_dir(folder).expect("the folder is there");
    files
        .map(|file| file.expect("it can be read").path())
        .collect()
}

/// The calls of the program in a text, each to the end of its command.
fn calls(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().map(|line| line.replace(['\'', '"'], ""));
    let calls = lines.flat_map(|line| {
        let mut parts = line.split("migratrix ").map(str::to_owned);
        let before = parts.next().unwrap_or_default();
        let is_told = before.contains(['#', '`']) || before.trim_start().starts_with("//");
        parts.filter(move |_| !is_told).collect::<Vec<_>>()
    });
    let words = calls.map(|call| {
        let words = call.split([' ', ';']).filter(|word| !word.is_empty());
        let words = words.filter(|word| !["$SELECTION", "$@"].contains(word));
        words.map(str::to_owned).collect()
    });
    words.collect()
}

#[test]
fn every_call_of_the_pipelines_is_known_with_its_options() {
    let mut commands = BTreeSet::new();
    for file in pipelines() {
        let text = fs::read_to_string(&file).expect("it is text");
        for words in calls(&text) {
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            let said = call(fresh().path(), &[&words[..], &["--help"]].concat());
            assert_eq!(said.code, 0, "{}: {words:?}: {}", file.display(), said.err);
            commands.insert(words[0].to_owned());
        }
    }
    let all = ["releases", "report", "run"].map(str::to_owned);
    assert_eq!(commands, all.into());
}

#[test]
fn every_pipeline_takes_its_shard_from_the_environment_and_stands_on_its_page() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ci.md");
    let page = fs::read_to_string(page).expect("the page is there");
    for file in pipelines() {
        let name = file.file_name().expect("it has one").to_string_lossy();
        assert!(page.contains(&format!("`ci/pipelines/{name}`")), "{name}");
        let text = fs::read_to_string(&file).expect("it is text");
        let shares = text.contains(" --shard auto ");
        assert_ne!(shares, name.contains("-report"), "{name}");
    }
    for (_, job) in SYSTEMS {
        for (variable, _) in job(0, 1).iter().take(2) {
            assert!(page.contains(&format!("`{variable}`")), "{variable}");
        }
    }
}
