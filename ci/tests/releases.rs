//! Roots that others packed: what comes out of them does no harm here. Needs the right to make
//! namespaces, and no release.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use nix::{sys::stat::Mode, unistd::mkfifo};

/// How long what comes may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the machine's own C library may be, without which no script runs in a root.
const LIBRARIES: [&str; 2] = ["lib/x86_64-linux-gnu", "lib64"];

fn migratrix(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migratrix"));
    command
        .args(arguments)
        .current_dir(dir)
        .env("MIGRATRIX_CACHE", dir.join("cache"));
    command
}

fn call(dir: &Path, arguments: &[&str]) -> Output {
    migratrix(dir, arguments).output().expect("it is built")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn write(root: &Path, path: &str, text: &str, mode: u32) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it is made");
    fs::write(&path, text).expect("it is written");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

/// A root whose programs are scripts that do `deed` and then say versions.
fn hostile(dir: &Path, deed: &str) -> PathBuf {
    let root = dir.join("root");
    for (file, places) in [
        ("sh", &["bin"][..]),
        ("libc.so.6", &LIBRARIES),
        ("ld-linux-x86-64.so.2", &["lib64", "usr/lib64"]),
    ] {
        let found = LIBRARIES
            .iter()
            .chain(&["bin"])
            .map(|at| Path::new("/").join(at).join(file));
        let found = found
            .into_iter()
            .find(|path| path.exists())
            .expect("it is on this machine");
        for place in places {
            fs::create_dir_all(root.join(place)).expect("it is made");
            fs::copy(&found, root.join(place).join(file)).expect("it is copied");
        }
    }
    let script = |said: &str| format!("#!/bin/sh\n{deed}\necho '{said}'\n");
    write(
        &root,
        "usr/sbin/libvirtd",
        &script("libvirtd (libvirt) 9.8.7"),
        0o755,
    );
    write(
        &root,
        "usr/bin/qemu-system-x86_64",
        &script("QEMU 7.6.5"),
        0o4755,
    );
    // The first place where a loader is looked for.
    let loader = "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
    write(&root, loader, &script("libvirtd 9.8.7"), 0o755);
    root
}

fn packed(dir: &Path, root: &Path) -> String {
    let tarball = dir.join("root.tar.gz").display().to_string();
    let mut tar = Command::new("tar");
    tar.args(["--create", "--gzip", "--file", &tarball, "--directory"]);
    assert!(
        tar.arg(root)
            .arg(".")
            .status()
            .expect("tar is here")
            .success()
    );
    tarball
}

#[test]
fn a_root_of_scripts_neither_sees_nor_writes_this_machine() {
    let dir = tempfile::tempdir().expect("there is room");
    let place = dir.path().display();
    let deed = format!(
        "echo harm > {place}/harm; echo harm > /harm; echo harm > /tmp/migratrix-harm\n\
         [ ! -e {place} ] || echo 'it sees 1.1'; [ ! -e /proc/self ] || echo 'it sees 2.2'"
    );
    let root = hostile(dir.path(), &deed);
    let tarball = packed(dir.path(), &root);
    for (name, from) in [("packed", &tarball), ("open", &root.display().to_string())] {
        let said = call(dir.path(), &["releases", "add", name, from]);
        let (out, err) = (text(&said.stdout), text(&said.stderr));
        assert!(said.status.success(), "{err}");
        assert!(out.contains("9.8.7") && out.contains("7.6.5"), "{out}");
    }
    for harm in [
        dir.path().join("harm"),
        root.join("harm"),
        dir.path().join("cache/releases/packed/root/harm"),
        PathBuf::from("/harm"),
        PathBuf::from("/tmp/migratrix-harm"),
    ] {
        assert!(!harm.exists(), "{}", harm.display());
    }
}

#[test]
fn what_is_left_out_of_a_tarball_is_said() {
    let dir = tempfile::tempdir().expect("there is room");
    let tarball = packed(dir.path(), &hostile(dir.path(), ""));
    let said = call(dir.path(), &["releases", "add", "mine", &tarball]);
    let out = text(&said.stdout);
    assert!(
        out.contains("left out: setuid and setgid bits of 1 file,"),
        "{out}"
    );
    let qemu = dir
        .path()
        .join("cache/releases/mine/root/usr/bin/qemu-system-x86_64");
    let mode = fs::metadata(qemu)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o755);
}

#[test]
fn a_link_out_of_a_root_is_followed_inside_it() {
    let dir = tempfile::tempdir().expect("there is room");
    let root = hostile(dir.path(), "");
    let daemon = root.join("usr/sbin/libvirtd");
    fs::rename(&daemon, root.join("usr/sbin/its-own")).expect("it is ours");
    // Something that this machine has, and the root has not.
    symlink(env!("CARGO_BIN_EXE_migratrix"), &daemon).expect("it is ours");
    let path = root.display().to_string();
    let said = call(dir.path(), &["releases", "add", "mine", &path]);
    assert_eq!(said.status.code(), Some(2), "{}", text(&said.stderr));
    fs::remove_file(&daemon).expect("it is ours");
    symlink("/usr/sbin/its-own", &daemon).expect("it is ours");
    let said = call(dir.path(), &["releases", "add", "mine", &path]);
    assert!(said.status.success(), "{}", text(&said.stderr));
}

#[test]
fn a_program_of_a_root_dies_with_the_one_who_asks() {
    let dir = tempfile::tempdir().expect("there is room");
    // Nobody writes into it: a program waits there for ever, and no limit of its jail ends it.
    let root = hostile(dir.path(), "read word < /fifo");
    mkfifo(&root.join("fifo"), Mode::S_IRWXU | Mode::S_IRWXO).expect("it is made");
    let path = root.display().to_string();
    let mut adding = migratrix(dir.path(), &["releases", "add", "mine", &path])
        .spawn()
        .expect("it is built");
    let jail = until(|| children(adding.id()).pop());
    let program = until(|| children(jail).pop());
    until(|| command_line(program).contains("libvirtd").then_some(()));
    let both = [jail, program].map(|pid| (pid, life(pid)));
    adding.kill().expect("it runs");
    adding.wait().expect("it was started here");
    // Another process may have its number by then.
    until(|| {
        both.iter()
            .all(|(pid, was)| life(*pid) != *was)
            .then_some(())
    });
}

/// What `look` finds, when it finds something.
#[track_caller]
fn until<T>(look: impl Fn() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "it did not come");
        std::thread::yield_now();
    }
}

fn children(pid: u32) -> Vec<u32> {
    let all = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    all.split_whitespace().flat_map(str::parse).collect()
}

fn command_line(pid: u32) -> String {
    text(&fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default())
}

/// When the process of this number began, in the kernel's ticks; none where it has ended.
fn life(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut words = rest.split(' ');
    let ended = words.next().is_none_or(|state| matches!(state, "Z" | "X"));
    words.nth(18).filter(|_| !ended).map(str::to_owned)
}

/// Calls the program where `mmdebstrap` is this script.
fn call_with_tool(dir: &Path, script: &str, arguments: &[&str]) -> Output {
    let bin = dir.join("bin");
    write(&bin, "mmdebstrap", script, 0o755);
    let path = std::env::var("PATH").expect("there is one");
    let mut command = migratrix(dir, arguments);
    command
        .env("PATH", format!("{}:{path}", bin.display()))
        .env_remove("MIGRATRIX_MIRROR");
    command.output().expect("it is built")
}

#[test]
fn a_release_is_made_of_what_the_tool_of_its_source_writes() {
    let dir = tempfile::tempdir().expect("there is room");
    let root = hostile(dir.path(), "");
    let status = "Package: libc6\nVersion: 2.40-1\n\nPackage: x\nVersion: 1\n\n\
                  Package: qemu-system-x86\nVersion: 1:7.6.5-1\n";
    write(&root, "var/lib/dpkg/status", status, 0o644);
    let script = format!(
        "#!/bin/sh\necho \"$@\" > {0}/arguments\ntar --create --directory {1} .\n",
        dir.path().display(),
        root.display()
    );
    let build = ["releases", "build", "trixie-backports"];
    let said = call_with_tool(dir.path(), &script, &build);
    assert!(said.status.success(), "{}", text(&said.stderr));
    let told = fs::read_to_string(dir.path().join("arguments")).expect("it was called");
    assert!(
        told.ends_with(
            "--variant=minbase --format=tar --include \
             qemu-system-x86,qemu-utils,libvirt-daemon-system,libvirt-clients,iproute2 \
             --aptopt=APT::Default-Release \"trixie-backports\" trixie - \
             deb http://deb.debian.org/debian trixie main \
             deb http://deb.debian.org/debian trixie-backports main\n"
        ),
        "{told}"
    );
    let record = dir
        .path()
        .join("cache/releases/trixie-backports/release.json");
    let record = fs::read_to_string(record).expect("it is there");
    let record: serde_json::Value = serde_json::from_str(&record).expect("it is JSON");
    assert_eq!(record["origin"]["recipe"]["name"], "trixie-backports");
    assert_eq!(record["glibc"], "2.40");
    assert_eq!(record["packages"][1]["version"], "1:7.6.5-1");
    // Made again in vain it stays, and in earnest another takes its place.
    let again = [&build[..], &["--again"]].concat();
    let list = || text(&call(dir.path(), &["releases"]).stdout);
    let vain = call_with_tool(dir.path(), "#!/bin/sh\nexit 7\n", &again);
    assert_eq!(vain.status.code(), Some(5));
    assert!(list().contains("trixie-backports"), "{}", list());
    let said = call_with_tool(dir.path(), &script, &again);
    assert!(said.status.success(), "{}", text(&said.stderr));
    let store = fs::read_dir(dir.path().join("cache/releases")).expect("it is there");
    let names = store.map(|one| one.expect("it can be read").file_name());
    let names: Vec<_> = names
        .filter(|one| !text(one.as_encoded_bytes()).ends_with(".lock"))
        .collect();
    assert_eq!(names, ["trixie-backports"]);
}

#[test]
fn a_command_that_fails_is_told_with_its_output_where_that_is_asked_for() {
    let dir = tempfile::tempdir().expect("there is room");
    let script = "#!/bin/sh\necho 'E: no such suite' >&2\nexit 7\n";
    let mirror = "--mirror=http://me:secret@m.example/debian";
    let build = ["releases", "build", "sid", mirror];
    let said = call_with_tool(dir.path(), script, &build);
    assert_eq!(said.status.code(), Some(5));
    let quiet = text(&said.stderr);
    assert!(!quiet.contains("WARN"), "{quiet}");
    let said = call_with_tool(dir.path(), script, &[&build[..], &["-vv"]].concat());
    let told = text(&said.stderr);
    let (warning, rest) = told.split_once(" WARN `mmdebstrap ").expect("it is told");
    assert!(warning.contains("DEBUG starts `mmdebstrap "), "{told}");
    let (line, rest) = rest.split_once('\n').expect("it is a line");
    assert!(line.ends_with("` ended with exit status: 7:"), "{told}");
    assert!(line.contains("http://***@m.example/debian"), "{told}");
    assert!(rest.starts_with("    E: no such suite\n"), "{told}");
}

/// Makes the QEMU of a root say that it is of this version.
fn with_qemu(root: &Path, version: &str) {
    let said = format!("#!/bin/sh\necho 'QEMU {version}'; echo 'pc-q35-7.2'\n");
    write(root, "usr/bin/qemu-system-x86_64", &said, 0o755);
}

#[test]
fn a_release_whose_root_is_of_another_version_now_is_refused_and_never_mixed_with_what_it_was() {
    let dir = tempfile::tempdir().expect("there is room");
    let root = hostile(dir.path(), "");
    with_qemu(&root, "7.6.5");
    let path = root.display().to_string();
    let refuses = |arguments: &[&str], code: i32, words: &[&str]| {
        let said = call(dir.path(), arguments);
        let err = text(&said.stderr);
        assert_eq!(said.status.code(), Some(code), "{arguments:?}: {err}");
        for word in words {
            assert!(err.contains(word), "{arguments:?}: no `{word}` in {err}");
        }
    };
    let add = ["releases", "add", "mine", &path];
    refuses(&add, 0, &[]);
    let of = ["--suite=qemu", "--source=mine", "--destination=mine"];
    let run = |out| [&["run", "--out", out], &of[..]].concat();
    // Its QEMU does not do more than say its version.
    refuses(&run("begun"), 3, &[]);
    assert!(dir.path().join("begun/plan.json").exists());
    with_qemu(&root, "7.6.6");
    let another = ["QEMU is 7.6.6 in ", "and was 7.6.5", "releases rm mine"];
    refuses(&run("fresh"), 5, &another);
    assert!(!dir.path().join("fresh").exists());
    let on = ["run", "--resume", "begun"];
    refuses(&on, 5, &another);
    refuses(&["releases", "rm", "mine"], 0, &[]);
    refuses(&add, 0, &[]);
    let since = "QEMU of the release `mine` is 7.6.6 now, and was 7.6.5 when the run was begun";
    refuses(&on, 2, &[since]);
}

#[test]
fn a_wrong_name_is_wrong_use() {
    let dir = tempfile::tempdir().expect("there is room");
    fs::write(dir.path().join("no-tarball"), vec![b'x'; 2048]).expect("it is written");
    fs::write(dir.path().join("random"), vec![0xf7; 2048]).expect("it is written");
    fs::create_dir(dir.path().join("empty")).expect("it is made");
    for (arguments, word) in [
        (&["releases", "build", "potato"][..], "potato"),
        (&["releases", "build", "sid", "A B"], "A B"),
        (&["releases", "add", "A/B", "empty"], "A/B"),
        (&["releases", "add", &"x".repeat(300), "empty"], "up to 50"),
        (&["releases", "add", "mine", "nowhere"], "nowhere"),
        (&["releases", "add", "mine", "empty"], "libvirtd"),
        (&["releases", "add", "mine", "no-tarball"], "no tarball"),
        (
            &["releases", "add", "mine", "random"],
            "random is no tarball of a root: it is no tar archive, bare or packed by gzip, xz, zstd, bzip2\n",
        ),
        (&["releases", "rm", "mine"], "mine"),
        (&["releases", "rm", "../x"], "../x"),
        (&["lab", "up", "mine"], "mine"),
        (&["lab", "up", "--name", "A/B", "mine"], "A/B"),
        (&["lab", "down"], "no lab `default` is up; no other is up"),
        (&["lab", "down", ".."], ".."),
        (&["lab", "env", "--lab", "mine"], "mine"),
        (&["lab", "exec", "mine", "--", "true"], "RELEASE-s"),
        (&["lab", "exec", "mine-s", "--", "true"], "mine"),
        (
            &["lab", "exec", "--lab", "x", "mine-s", "--", "true"],
            "`x`",
        ),
        (&["lab", "image", "nowhere/image"], "nowhere/image"),
    ] {
        let said = call(dir.path(), arguments);
        let err = text(&said.stderr);
        assert_eq!(said.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(err.contains(word), "{arguments:?}: {err}");
    }
}

#[test]
fn a_name_that_is_taken_is_wrong_use_and_several_are_removed_all_or_none() {
    let dir = tempfile::tempdir().expect("there is room");
    let root = hostile(dir.path(), "").display().to_string();
    let code = |arguments: &[&str]| call(dir.path(), arguments).status.code();
    assert_eq!(code(&["releases", "add", "mine", &root]), Some(0));
    assert_eq!(code(&["releases", "add", "mine", &root]), Some(2));
    assert_eq!(code(&["releases", "rm", "mine", "other"]), Some(2));
    assert_eq!(code(&["releases", "rm", "mine"]), Some(0));
}

#[test]
fn a_root_of_ones_own_has_no_recipes_name_and_one_that_has_it_is_not_taken_for_the_recipes() {
    let dir = tempfile::tempdir().expect("there is room");
    let root = hostile(dir.path(), "");
    let tarball = packed(dir.path(), &root);
    for from in [&tarball, &root.display().to_string()] {
        let said = call(dir.path(), &["releases", "add", "bookworm", from]);
        let err = text(&said.stderr);
        assert_eq!(said.status.code(), Some(2), "{err}");
        assert!(err.contains("a name of its own, as `my-bookworm`"), "{err}");
    }
    let said = call(dir.path(), &["releases", "add", "mine", &tarball]);
    assert!(said.status.success(), "{}", text(&said.stderr));
    // As an earlier version added it.
    let store = dir.path().join("cache/releases");
    fs::rename(store.join("mine"), store.join("bookworm")).expect("it is ours");
    let file = store.join("bookworm/release.json");
    let record = fs::read_to_string(&file).expect("it is there");
    fs::write(&file, record.replace("\"mine\"", "\"bookworm\"")).expect("it is ours");
    let said = call(dir.path(), &["releases", "build", "sid", "bookworm"]);
    let err = text(&said.stderr);
    assert_eq!(said.status.code(), Some(2), "{err}{}", text(&said.stdout));
    for word in [
        "not the recipe's, it is the tarball ",
        "releases rm bookworm",
        "build --again bookworm",
    ] {
        assert!(err.contains(word), "{err}");
    }
    assert!(!err.contains("building"), "{err}");
}

#[test]
fn a_release_that_is_damaged_is_listed_as_one_and_stops_no_other() {
    let dir = tempfile::tempdir().expect("there is room");
    let store = dir.path().join("cache/releases");
    fs::create_dir_all(store.join("broken")).expect("there is room");
    fs::write(store.join("broken/release.json"), "{").expect("there is room");
    fs::create_dir_all(store.join("piped")).expect("there is room");
    let pipe = store.join("piped/release.json");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("there is room");
    for listing in [&["releases"][..], &["releases", "list"]] {
        let listed = call(dir.path(), listing);
        assert_eq!(listed.status.code(), Some(0));
        let lines = text(&listed.stdout);
        for (name, why) in [("broken", "EOF"), ("piped", "no regular file")] {
            let line = lines.lines().find(|line| line.starts_with(name));
            let line = line.expect("it is listed");
            assert!(line.contains("damaged") && line.contains(why), "{line}");
        }
    }
    let run = ["run", "--backend", "fake", "--jobs", "1", "--out", "out"];
    assert_eq!(call(dir.path(), &run).status.code(), Some(0));
    let one = call(
        dir.path(),
        &["run", "--source", "piped", "--destination", "broken"],
    );
    assert_eq!(one.status.code(), Some(2), "{}", text(&one.stderr));
    assert!(
        text(&one.stderr).contains("no regular file"),
        "{}",
        text(&one.stderr)
    );
}

#[test]
fn a_release_that_is_in_use_is_not_removed_or_replaced_and_a_holder_that_was_killed_holds_nothing()
{
    let dir = tempfile::tempdir().expect("there is room");
    let root = hostile(dir.path(), "").display().to_string();
    for name in ["mine", "other"] {
        let said = call(dir.path(), &["releases", "add", name, &root]);
        assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
    }
    let folder = dir.path().join("cache/releases/mine");
    // As a run or a lab holds it.
    let mut holder = Command::new("flock")
        .args(["--shared", "--no-fork"])
        .arg(&folder)
        .args(["sleep", "600"])
        .spawn()
        .expect("util-linux has it");
    until(|| {
        let held = fs::File::open(&folder).expect("it is there");
        let how = nix::fcntl::FlockArg::LockExclusiveNonblock;
        nix::fcntl::Flock::lock(held, how).is_err().then_some(())
    });
    for names in [&["mine"][..], &["other", "mine"]] {
        let said = call(dir.path(), &[&["releases", "rm"], names].concat());
        let err = text(&said.stderr);
        assert_eq!(said.status.code(), Some(5), "{err}");
        for word in ["`mine` is in use by `sleep 600`", "migratrix lab down"] {
            assert!(err.contains(word), "{err}");
        }
        assert!(folder.join("release.json").exists());
    }
    assert!(
        dir.path()
            .join("cache/releases/other/release.json")
            .exists()
    );
    let again = call(dir.path(), &["releases", "build", "--again", "mine"]);
    assert_ne!(again.status.code(), Some(0));
    holder.kill().expect("it is ours");
    holder.wait().expect("it was started");
    let said = call(dir.path(), &["releases", "rm", "mine", "other", "mine"]);
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
}

#[test]
fn a_root_that_is_refused_is_named_as_it_was_given_and_leaves_nothing_in_the_store() {
    let dir = tempfile::tempdir().expect("there is room");
    fs::write(dir.path().join("empty.tar"), "").expect("there is room");
    let packed_as = |name: &str, root: &Path| {
        let tarball = dir.path().join(name);
        fs::rename(packed(dir.path(), root), &tarball).expect("it is there");
        tarball.display().to_string()
    };
    let silent = packed_as("silent.tar.gz", &hostile(dir.path(), "exit 1"));
    let vague = hostile(dir.path(), "echo a daemon, of some age; exit 0");
    let vague = packed_as("vague.tar.gz", &vague);
    fs::create_dir(dir.path().join("bare")).expect("there is room");
    let bare = packed_as("bare.tar.gz", &dir.path().join("bare"));
    for (root, words) in [
        (
            "empty.tar",
            &["empty.tar is no tarball of a root: it is empty"][..],
        ),
        (&bare, &["has none of /usr/sbin/libvirtd"]),
        (
            &vague,
            &[
                "vague.tar.gz is no root of a release: its /usr/sbin/libvirtd names no version of itself, and says \
                 `a daemon, of some age`",
            ],
        ),
        (
            &silent,
            &[
                "`/usr/sbin/libvirtd --version` of",
                "exit status: 1 and said nothing",
            ],
        ),
    ] {
        let said = call(dir.path(), &["releases", "add", "mine", root]);
        let err = text(&said.stderr);
        assert_ne!(said.status.code(), Some(0), "{err}");
        for word in words {
            assert!(err.contains(word), "{err}");
        }
        for inner in ["lab-ask", ".partial", "/proc/self"] {
            assert!(!err.contains(inner), "{err}");
        }
        let left = fs::read_dir(dir.path().join("cache/releases")).expect("it is there");
        assert_eq!(left.count(), 0, "{root}");
    }
}
