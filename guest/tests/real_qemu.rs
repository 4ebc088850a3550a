//! The guest on a real QEMU, which `MIGRATRIX_QEMU` names: the words of its command, up to the
//! machine. `MIGRATRIX_ACCEL` names the accelerator, `tcg` if it is not set.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the guest runs in a real QEMU here"
)]

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixListener,
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use migratrix_guest::{Page, Parameters, Place, Registers, Run, Stamper, Survey};
use serde_json::{Value, json};

const DEADLINE: Duration = Duration::from_secs(60);
const MACHINES: [&str; 2] = ["pc-q35-5.2", "pc-i440fx-5.2"];
/// Wide, so that it is mostly within a lap and seldom at COM1.
const NEVER_HALTS: Parameters = Parameters {
    end: 0x100_0000,
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
            began.elapsed() > Duration::from_millis(590),
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
        for _ in 0..20 {
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

/// A running QEMU: QMP over its standard input and output, the guest's COM1 over a socket.
struct Guest {
    child: Child,
    commands: ChildStdin,
    replies: Receiver<Value>,
    serial: Receiver<u8>,
    laps_told: u32,
    events: Vec<Value>,
    parameters: Parameters,
    directory: PathBuf,
}

impl Guest {
    fn boot(qemu: &str, machine: &str, name: &str, parameters: Parameters) -> Self {
        let mut guest = Self::start(qemu, machine, name, parameters);
        assert!(guest.next_line()["QMP"].is_object());
        guest.command("qmp_capabilities", &json!({}));
        guest.command("cont", &json!({}));
        assert_eq!(
            guest.serial.recv_timeout(DEADLINE),
            Ok(b'A'),
            "it does not boot"
        );
        guest
    }

    fn start(qemu: &str, machine: &str, name: &str, parameters: Parameters) -> Self {
        let place = format!("migratrix-guest-{}-{name}-{machine}", std::process::id());
        let directory = env::temp_dir().join(place);
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("image"), parameters.boot_image().unwrap()).unwrap();
        let com1 = UnixListener::bind(directory.join("com1")).unwrap();
        let mut child = command(qemu, machine, &parameters)
            .current_dir(&directory)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            commands: child.stdin.take().unwrap(),
            replies: each(lines.map(|line| Ok(serde_json::from_str(&line?)?))),
            serial: each(BufReader::new(com1.accept().unwrap().0).bytes()),
            laps_told: 0,
            events: Vec::new(),
            child,
            parameters,
            directory,
        }
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
        self.replies
            .recv_timeout(DEADLINE)
            .expect("it answers in time")
    }

    fn command(&mut self, name: &str, arguments: &Value) {
        self.ask(name, arguments);
    }

    fn ask(&mut self, name: &str, arguments: &Value) -> Value {
        let line = json!({ "execute": name, "arguments": arguments }).to_string();
        writeln!(self.commands, "{line}").unwrap();
        loop {
            let reply = self.next_line();
            assert!(reply.get("error").is_none(), "{name}: {reply}");
            if let Some(answer) = reply.get("return") {
                return answer.clone();
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
        let registers = self.registers();
        let place = self.parameters.place(&registers).unwrap();
        let told = self.survey().law_at(&self.parameters, place);
        assert_eq!(told, Ok(stamper), "{registers:?}, {place:?}");
        assert_ne!(place, Place::Elsewhere, "{registers:?}");
        stamper
    }

    fn registers(&mut self) -> Registers {
        let ask = json!({ "command-line": "info registers" });
        let said = self.ask("human-monitor-command", &ask);
        let said = said.as_str().expect("text").to_owned();
        let number = |name: &str| {
            let (_, rest) = said.split_once(name).expect("it has it");
            let digits = rest.split(|digit: char| !digit.is_ascii_hexdigit()).next();
            u32::from_str_radix(digits.expect("a number"), 16).expect("a number")
        };
        Registers {
            next: number("EIP=").into(),
            edi: number("EDI="),
            halted: number("HLT=") == 1,
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        let cleared = fs::remove_dir_all(&self.directory);
        if !thread::panicking() {
            ended.and(cleared).expect("what we made is ours to end");
        }
    }
}

fn command(qemu: &str, machine: &str, parameters: &Parameters) -> Command {
    let mut words = qemu.split_whitespace();
    let mut command = Command::new(words.next().expect("MIGRATRIX_QEMU has a word"));
    let accel = env::var("MIGRATRIX_ACCEL").unwrap_or_else(|_| "tcg".to_owned());
    let memory = parameters.memory_mib().to_string();
    command
        .args(words)
        .args([
            "-M",
            machine,
            "-accel",
            &accel,
            "-m",
            &memory,
            "-nodefaults",
            "-display",
            "none",
        ])
        .args([
            "-drive",
            "if=virtio,readonly=on,format=raw,file=image",
            "-serial",
            "unix:com1",
        ])
        .args(["-qmp", "stdio", "-S"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// What comes, as it comes, so that a wait for it can have a deadline.
fn each<T: Send + 'static>(
    mut items: impl Iterator<Item = io::Result<T>> + Send + 'static,
) -> Receiver<T> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        items
            .by_ref()
            .map_while(Result::ok)
            .try_for_each(|item| sender.send(item))
    });
    receiver
}
