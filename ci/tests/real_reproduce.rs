//! Scripts of `migratrix reproduce` in fresh hosts: one that shows a known failure, and one of what passes,
//! without libvirt and through virsh. They need the releases `trixie` and `sid`, and are run with `--ignored`;
//! `MIGRATRIX` names the program, which has its client beside it.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use migratrix_lab::{Store, cache_folder};
use migratrix_matrix::ReleaseName;

fn place(name: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).expect("there is room for a directory");
    place
}

fn program() -> String {
    std::env::var("MIGRATRIX").expect("MIGRATRIX names the program")
}

fn migratrix(place: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(program());
    let output = command.args(arguments).current_dir(place).output();
    let output = output.expect("the program starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().expect("it ends by itself"), said)
}

/// Runs the script of a case, and gives its exit status and what it says.
fn show(place: &Path, words: &[&str], variables: &[(&str, String)]) -> (i32, String) {
    let (code, script) = migratrix(place, &[&["reproduce"], words].concat());
    assert_eq!(code, 0, "{script}");
    let mut command = Command::new("sh");
    let shell = command
        .args(["-c", &script])
        .envs(variables.iter().cloned());
    let output = shell.current_dir(place).output().expect("sh is here");
    let said = [output.stdout, output.stderr].concat();
    let code = output.status.code().expect("it ends by itself");
    (code, String::from_utf8_lossy(&said).into_owned())
}

/// How a release's QEMU is started from outside its root.
fn qemu(release: &str) -> String {
    let store = Store::open(&cache_folder()).expect("the cache is there");
    let name = ReleaseName::new(release).expect("it is a name");
    let root = store.get(&name).expect("the release is built").root();
    let root = root.display();
    let libraries = format!("{root}/usr/lib/x86_64-linux-gnu");
    format!(
        "env QEMU_MODULE_DIR={libraries}/qemu {libraries}/ld-linux-x86-64.so.2 --library-path \
         {libraries}:{root}/usr/lib64 {root}/usr/bin/qemu-system-x86_64 -L {root}/usr/share/qemu -L \
         {root}/usr/share/seabios"
    )
}

#[test]
#[ignore = "needs the releases trixie and sid, see migratrix releases"]
fn a_device_that_qemu_11_does_not_take_shows_and_a_plain_machine_passes() {
    let place = place("reproduce-raw");
    let [fails, passes] = ["virtio-rng", "plain"]
        .map(|options| format!("qemu/qemu/trixie,sid/precopy/unix/running/{options}"));
    migratrix(
        &place,
        &["run", "--case", &fails, "--case", &passes, "--out", "out"],
    );
    let variables = [("SRC_QEMU", qemu("trixie")), ("DST_QEMU", qemu("sid"))];
    let (code, said) = show(&place, &[&fails, "--run", "out"], &variables);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("VQ 0") && said.contains("THE FAILURE SHOWS: "),
        "{said}"
    );
    let (code, said) = show(&place, &[&passes, "--run", "out"], &variables);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("all as it should be"), "{said}");
}

/// A lab that is up. It is ended with this, however the test ends.
struct Up {
    name: String,
    outer: Child,
}

impl Up {
    fn of(place: &Path, releases: &[&str]) -> Self {
        let name = format!("reproduce-{}", std::process::id());
        let mut command = Command::new(program());
        command.args(["lab", "up", "--name", &name]).args(releases);
        let command = command.current_dir(place).stdout(Stdio::piped());
        let mut outer = command.spawn().expect("it starts");
        let lines = BufReader::new(outer.stdout.as_mut().expect("it is piped")).lines();
        let mut lines = lines.map_while(Result::ok);
        assert!(
            lines.any(|line| line.starts_with("up until")),
            "{name} does not come up"
        );
        Self { name, outer }
    }

    /// What runs a command on a host.
    fn on(&self, host: &str) -> String {
        format!("{} lab exec --lab {} {host} --", program(), self.name)
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.outer.kill();
        let _ = self.outer.wait();
    }
}

#[test]
#[ignore = "needs the releases trixie and sid, see migratrix releases"]
fn virsh_alone_shows_the_same_on_hosts_of_the_lab() {
    let place = place("reproduce-libvirt");
    let lab = Up::of(&place, &["trixie", "sid"]);
    let (_, env) = migratrix(&place, &["lab", "env", "--lab", &lab.name]);
    let uri = |name: &str| {
        let line = env.lines().find_map(|line| line.strip_prefix(name));
        line.expect("the lab names its hosts").to_owned()
    };
    let variables = [
        ("SRC_URI", uri("LAB_URI_trixie_s=")),
        ("DST_URI", uri("LAB_URI_sid_d=")),
        ("SRC_RUN", lab.on("trixie-s")),
        ("DST_RUN", lab.on("sid-d")),
        ("VIRSH", lab.on("trixie-s") + " virsh"),
    ];
    let case = "tck/libvirt/trixie,trixie,sid/p2p/persistent-running-undefined/live";
    let (code, said) = show(&place, &[case], &variables);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("all as it should be"), "{said}");
    let (code, said) = show(&place, &[&format!("{case}/rng")], &variables);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("THE FAILURE SHOWS: the migration"), "{said}");
}
