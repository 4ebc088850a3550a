//! The guest on a real QEMU, which `MIGRATRIX_QEMU` names: the words of its command, up to the
//! machine. `MIGRATRIX_ACCEL` names the accelerator, `tcg` if it is not set.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use migratrix_guest::{Page, Parameters, Run, Stamper, Survey};
use serde_json::{Value, json};

const DEADLINE: Duration = Duration::from_secs(60);
const MACHINES: [&str; 2] = ["pc-q35-5.2", "pc-i440fx-5.2"];
const NEVER_HALTS: Parameters = Parameters {
    pace_us: 0,
    ..Parameters::SMALL
};
const SLEEPS: Parameters = Parameters {
    suspend: true,
    ..Parameters::SMALL
};

#[test]
fn a_paced_guest_obeys_the_law_and_keeps_its_pace() {
    on_each_machine("paced", Parameters::SMALL, |guest| {
        guest.await_laps(2);
        let (began, before) = (Instant::now(), guest.lap());
        guest.await_laps(20);
        let (laps, took) = (guest.lap() - before, began.elapsed());
        assert!(
            u128::from(laps) <= took.as_millis() / 10 + 1,
            "{laps} laps in {took:?}"
        );
        guest.stop_and_judge();
    });
}

#[test]
fn a_pace_that_is_longer_than_the_timer_can_count_is_kept() {
    let slow = Parameters {
        pace_us: 200_000,
        ..Parameters::SMALL
    };
    on_each_machine("slow", slow, |guest| {
        guest.await_laps(1);
        let began = Instant::now();
        guest.await_laps(4);
        assert!(
            began.elapsed() > Duration::from_millis(700),
            "{:?}",
            began.elapsed()
        );
        assert!(
            began.elapsed() < Duration::from_millis(2000),
            "{:?}",
            began.elapsed()
        );
    });
}

#[test]
fn a_guest_that_never_halts_obeys_the_law_whenever_it_is_stopped() {
    on_each_machine("never-halts", NEVER_HALTS, |guest| {
        let mut torn = 0;
        guest.await_laps(1);
        for _ in 0..50 {
            let Stamper { address, .. } = guest.stop_and_judge();
            torn += u32::from(address != NEVER_HALTS.start);
            guest.command("cont", &json!({}));
        }
        assert!(torn > 0, "it was never stopped within a lap");
    });
}

#[test]
fn a_guest_that_sleeps_is_still_until_it_is_woken_and_goes_on_with_its_second_lap() {
    on_each_machine("sleeps", SLEEPS, |guest| {
        guest.await_event("SUSPEND");
        let asleep = guest.survey();
        assert_eq!(
            asleep.runs,
            [Run {
                pages: 256,
                page: Page::Stamped { lap: 1 }
            }]
        );
        guest.command("system_wakeup", &json!({}));
        guest.await_laps(4);
        assert!(guest.stop_and_judge().laps >= 4);
    });
}

fn on_each_machine(name: &str, parameters: Parameters, test: impl Fn(&mut Guest)) {
    let Ok(qemu) = env::var("MIGRATRIX_QEMU") else {
        eprintln!("skipped: MIGRATRIX_QEMU names no QEMU");
        return;
    };
    for machine in MACHINES {
        test(&mut Guest::boot(&qemu, machine, name, parameters));
    }
}

/// A running QEMU. What its guest writes to COM1 comes over its standard output.
struct Guest {
    child: Child,
    serial: Receiver<u8>,
    laps_told: u32,
    replies: BufReader<UnixStream>,
    events: Vec<Value>,
    parameters: Parameters,
    directory: PathBuf,
}

impl Guest {
    fn boot(qemu: &str, machine: &str, name: &str, parameters: Parameters) -> Self {
        let directory =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{machine}"));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("image"), parameters.boot_image().unwrap()).unwrap();
        let mut child = command(qemu, machine)
            .current_dir(&directory)
            .spawn()
            .unwrap();
        let serial = listen(child.stdout.take().unwrap());
        assert_eq!(serial.recv_timeout(DEADLINE), Ok(b'A'), "it does not boot");
        let replies = BufReader::new(UnixStream::connect(directory.join("qmp")).unwrap());
        replies.get_ref().set_read_timeout(Some(DEADLINE)).unwrap();
        let mut guest = Self {
            child,
            serial,
            laps_told: 0,
            replies,
            events: Vec::new(),
            parameters,
            directory,
        };
        assert!(guest.next_line().get("QMP").is_some());
        guest.command("qmp_capabilities", &json!({}));
        guest
    }

    /// Waits until the guest has told of as many laps on COM1.
    fn await_laps(&mut self, laps: u32) {
        while self.laps_told < laps {
            assert_eq!(
                self.serial.recv_timeout(DEADLINE),
                Ok(b'B'),
                "after {} laps",
                self.laps_told
            );
            self.laps_told += 1;
        }
    }

    fn await_event(&mut self, name: &str) {
        while !self.events.iter().any(|event| event["event"] == name) {
            let line = self.next_line();
            self.events.push(line);
        }
    }

    fn next_line(&mut self) -> Value {
        let mut line = String::new();
        self.replies.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn command(&mut self, name: &str, arguments: &Value) {
        let line = json!({ "execute": name, "arguments": arguments }).to_string();
        writeln!(self.replies.get_ref(), "{line}").unwrap();
        loop {
            let reply = self.next_line();
            assert!(reply.get("error").is_none(), "{name}: {reply}");
            if reply.get("return").is_some() {
                return;
            }
            self.events.push(reply);
        }
    }

    fn read(&mut self, address: u32, bytes: usize) -> Vec<u8> {
        let to = json!({ "val": address, "size": bytes, "filename": "memory" });
        self.command("pmemsave", &to);
        fs::read(self.directory.join("memory")).unwrap()
    }

    fn lap(&mut self) -> u32 {
        let bytes = self.read(self.parameters.lap_address(), Parameters::LAP_BYTES);
        self.parameters
            .read_lap(&bytes)
            .expect("the guest has laid out its range")
    }

    fn survey(&mut self) -> Survey {
        let parameters = self.parameters;
        let bytes = self.read(parameters.start, parameters.bytes() as usize);
        Survey::read(&parameters, &bytes).unwrap()
    }

    fn stop_and_judge(&mut self) -> Stamper {
        self.command("stop", &json!({}));
        let stamper = self
            .survey()
            .law(&self.parameters)
            .unwrap_or_else(|breach| panic!("{breach}"));
        assert_eq!(self.lap(), stamper.laps);
        stamper
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.child
            .kill()
            .and_then(|()| self.child.wait())
            .expect("our own child can be killed");
    }
}

fn command(qemu: &str, machine: &str) -> Command {
    let mut words = qemu.split_whitespace();
    let mut command = Command::new(words.next().expect("MIGRATRIX_QEMU has a word"));
    let accel = env::var("MIGRATRIX_ACCEL").unwrap_or_else(|_| "tcg".to_owned());
    command
        .args(words)
        .args([
            "-M",
            machine,
            "-accel",
            &accel,
            "-m",
            "4",
            "-nodefaults",
            "-display",
            "none",
        ])
        .args([
            "-drive",
            "if=virtio,readonly=on,format=raw,file=image",
            "-serial",
            "stdio",
        ])
        .args(["-qmp", "unix:qmp,server=on,wait=off"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// The bytes that come, as they come, so that a wait for them can have a deadline.
fn listen(from: impl Read + Send + 'static) -> Receiver<u8> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        BufReader::new(from)
            .bytes()
            .map_while(Result::ok)
            .try_for_each(|byte| sender.send(byte))
    });
    receiver
}
