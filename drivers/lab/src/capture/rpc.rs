//! libvirt's remote protocol, as far as a migration needs it: who is asked for what, by which flags and
//! parameters, and which port the destination names.
//!
//! A message is its length, then program, version, procedure, kind, serial and status, each a word; then
//! what the procedure takes or gives, in XDR. All of it is documented in libvirt's `virnetprotocol.x`
//! and `remote_protocol.x`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Where a message has its program, procedure and kind, in bytes.
pub(super) const AT_PROGRAM: u32 = 4;
pub(super) const AT_PROCEDURE: u32 = 12;
pub(super) const AT_KIND: u32 = 16;

/// `REMOTE_PROGRAM`.
pub(super) const PROGRAM: u32 = 0x2000_8086;
/// The procedures from `DOMAIN_MIGRATE_BEGIN3_PARAMS` to `DOMAIN_MIGRATE_PERFORM3_PARAMS`.
pub(super) const FIRST: u32 = 302;
pub(super) const LAST: u32 = 305;
/// `VIR_NET_REPLY`; a call is 0, and what is above is a stream or an event.
pub(super) const REPLY: u32 = 1;

/// How long the words before the arguments are, in bytes.
const HEAD: usize = 28;

/// The procedures, by their numbers from [`FIRST`].
const PROCEDURES: [&str; 4] = [
    "domain-migrate-begin3-params",
    "domain-migrate-prepare3-params",
    "domain-migrate-prepare-tunnel3-params",
    "domain-migrate-perform3-params",
];

/// The flags of `virDomainMigrateFlags`, by their bits.
const FLAGS: [&str; 20] = [
    "VIR_MIGRATE_LIVE",
    "VIR_MIGRATE_PEER2PEER",
    "VIR_MIGRATE_TUNNELLED",
    "VIR_MIGRATE_PERSIST_DEST",
    "VIR_MIGRATE_UNDEFINE_SOURCE",
    "VIR_MIGRATE_PAUSED",
    "VIR_MIGRATE_NON_SHARED_DISK",
    "VIR_MIGRATE_NON_SHARED_INC",
    "VIR_MIGRATE_CHANGE_PROTECTION",
    "VIR_MIGRATE_UNSAFE",
    "VIR_MIGRATE_OFFLINE",
    "VIR_MIGRATE_COMPRESSED",
    "VIR_MIGRATE_ABORT_ON_ERROR",
    "VIR_MIGRATE_AUTO_CONVERGE",
    "VIR_MIGRATE_RDMA_PIN_ALL",
    "VIR_MIGRATE_POSTCOPY",
    "VIR_MIGRATE_TLS",
    "VIR_MIGRATE_PARALLEL",
    "VIR_MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES",
    "VIR_MIGRATE_ZEROCOPY",
];

/// The flag by which a daemon drives the migration itself.
const PEER_TO_PEER: &str = FLAGS[1];

/// Whether a call has a daemon ask another one; `Some(false)` where it is that daemon's own.
pub(super) fn asks_daemon(procedure: &str, flags: Option<&BTreeSet<String>>) -> Option<bool> {
    let [_, prepare, prepare_tunnel, perform] = PROCEDURES;
    match procedure {
        // Of a call that was cut its flags are not known.
        _ if procedure == perform => flags
            .is_none_or(|flags| flags.contains(PEER_TO_PEER))
            .then_some(true),
        _ if procedure == prepare || procedure == prepare_tunnel => Some(false),
        _ => None,
    }
}

/// A message of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// A daemon is asked.
    Call {
        serial: u32,
        /// The domain's name.
        domain: String,
        procedure: &'static str,
        /// `None` where the message was cut before them.
        flags: Option<BTreeSet<String>>,
        /// Those that are numbers.
        parameters: BTreeMap<String, Value>,
    },
    /// A destination has answered that it is prepared, and which ports memory and disks go to.
    Prepared {
        serial: u32,
        memory: Option<u16>,
        disks: Option<u16>,
    },
}

/// The message that these bytes begin with; `None` where it is none of a migration.
pub(super) fn parse(bytes: &[u8]) -> Option<Message> {
    let word = |at: u32| Words(bytes.get(at as usize..)?).word();
    let (procedure, kind) = (word(AT_PROCEDURE)?, word(AT_KIND)?);
    let name = *PROCEDURES.get(usize::try_from(procedure.checked_sub(FIRST)?).ok()?)?;
    if word(AT_PROGRAM)? != PROGRAM {
        return None;
    }
    let serial = word(AT_KIND + 4)?;
    let whole = usize::try_from(word(0)?).ok()? == bytes.len();
    let arguments = bytes.get(HEAD..)?;
    match kind {
        0 => Some(Message::Call {
            serial,
            domain: domain(name, arguments)?,
            procedure: name,
            flags: whole.then(|| flags(arguments)).flatten(),
            parameters: parameters(name, arguments).unwrap_or_default(),
        }),
        REPLY if name == PROCEDURES[1] => Some(Message::Prepared {
            serial,
            memory: port(arguments),
            disks: disks_port(arguments),
        }),
        _ => None,
    }
}

/// The domain's name: where the domain itself is no argument, in its XML and in what goes along.
fn domain(procedure: &str, arguments: &[u8]) -> Option<String> {
    if takes_domain(procedure) {
        return Words(arguments).text();
    }
    let text = String::from_utf8_lossy(arguments);
    let (_, rest) = text.split_once("<name>")?;
    Some(rest.split_once("</name>")?.0.to_owned())
}

fn takes_domain(procedure: &str) -> bool {
    procedure == PROCEDURES[0] || procedure == PROCEDURES[3]
}

/// The flags: the last word of each of these calls.
fn flags(arguments: &[u8]) -> Option<BTreeSet<String>> {
    let bits = u32::from_be_bytes(*arguments.last_chunk()?);
    let names = (0..u32::BITS).filter(|bit| bits & (1 << bit) != 0);
    let name = |bit: u32| {
        let known = FLAGS.get(bit as usize);
        known.map_or_else(|| format!("1 << {bit}"), |name| (*name).to_owned())
    };
    Some(names.map(name).collect())
}

/// The typed parameters that are numbers.
fn parameters(procedure: &str, arguments: &[u8]) -> Option<BTreeMap<String, Value>> {
    let mut words = Words(arguments);
    if takes_domain(procedure) {
        words.text()?;
        words.take(16 + 4)?;
    }
    if procedure == PROCEDURES[3] && words.word()? == 1 {
        words.text()?;
    }
    let mut all = BTreeMap::new();
    for _ in 0..words.word()? {
        let name = words.text()?;
        let number = match words.word()? {
            1 => Some(Value::from(i32::from_be_bytes(
                *words.take(4)?.first_chunk()?,
            ))),
            2 | 6 => Some(Value::from(words.word()?)),
            3 => Some(Value::from(i64::from_be_bytes(
                *words.take(8)?.first_chunk()?,
            ))),
            4 => Some(Value::from(u64::from_be_bytes(
                *words.take(8)?.first_chunk()?,
            ))),
            5 => Some(Value::from(f64::from_be_bytes(
                *words.take(8)?.first_chunk()?,
            ))),
            7 => words.text().map(|_| None)?,
            _ => return Some(all),
        };
        all.extend(number.map(|number| (name, number)));
    }
    Some(all)
}

/// The port in the URI that a destination answers with: `tcp:trixie-d:49152`.
fn port(answer: &[u8]) -> Option<u16> {
    let mut words = Words(answer);
    let cookie = words.word()?;
    words.take(usize::try_from(cookie).ok()?)?;
    if words.word()? == 0 {
        return None;
    }
    words.text()?.rsplit(':').next()?.parse().ok()
}

/// The port of the NBD server, in the cookie of the answer: `<nbd port='49153'>`.
fn disks_port(answer: &[u8]) -> Option<u16> {
    let mut words = Words(answer);
    let length = usize::try_from(words.word()?).ok()?;
    let cookie = String::from_utf8_lossy(words.take(length)?);
    let (_, rest) = cookie.split_once("<nbd port=")?;
    let port = rest.trim_start_matches(['\'', '"']);
    port.split(['\'', '"']).next()?.parse().ok()
}

/// What is left to be read of something in XDR: all of it is padded to words.
struct Words<'b>(&'b [u8]);

impl<'b> Words<'b> {
    fn word(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(*self.take(4)?.first_chunk()?))
    }

    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let taken = self.0.get(..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(taken)
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.word()?).ok()?;
        Some(String::from_utf8_lossy(self.take(length)?).into_owned())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn text(text: &str) -> Vec<u8> {
        let mut bytes = u32::try_from(text.len()).unwrap().to_be_bytes().to_vec();
        bytes.extend_from_slice(text.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn message(procedure: u32, kind: u32, serial: u32, arguments: &[u8]) -> Vec<u8> {
        let length = u32::try_from(HEAD + arguments.len()).unwrap();
        let head = [length, PROGRAM, 1, procedure, kind, serial, 0];
        let head = head.into_iter().flat_map(u32::to_be_bytes);
        head.chain(arguments.iter().copied()).collect()
    }

    /// A destination is asked to prepare for the domain.
    pub(in crate::capture) fn prepare(domain: &str, serial: u32, flags: u32) -> Vec<u8> {
        let mut arguments = 0_u32.to_be_bytes().to_vec();
        arguments.extend(text(&format!("<qemu-migration><name>{domain}</name>")));
        arguments.extend(flags.to_be_bytes());
        message(303, 0, serial, &arguments)
    }

    /// A destination is prepared, and named this port.
    pub(in crate::capture) fn prepared(serial: u32, port: u16, disks: Option<u16>) -> Vec<u8> {
        let disks = disks.map(|port| format!("<nbd port='{port}'>"));
        let cookie = format!("<qemu-migration>{}", disks.unwrap_or_default());
        let mut answer = text(&cookie);
        answer.extend(1_u32.to_be_bytes());
        answer.extend(text(&format!("tcp:trixie-d:{port}")));
        message(303, 1, serial, &answer)
    }

    /// A source is asked to migrate the domain to another, by these flags and over so many connections.
    pub(in crate::capture) fn perform(domain: &str, flags: u32, connections: u32) -> Vec<u8> {
        let mut arguments = text(domain);
        arguments.extend([7; 16]);
        arguments.extend([1_u32, 1].into_iter().flat_map(u32::to_be_bytes));
        arguments.extend(text("qemu+tcp://trixie-d/system"));
        arguments.extend(2_u32.to_be_bytes());
        arguments.extend(text("destination_xml"));
        arguments.extend(7_u32.to_be_bytes());
        arguments.extend(text("<domain/>"));
        arguments.extend(text("parallel.connections"));
        arguments.extend(
            [1, connections, 0, flags]
                .into_iter()
                .flat_map(u32::to_be_bytes),
        );
        message(305, 0, 9, &arguments)
    }

    #[test]
    fn a_call_tells_its_domain_flags_and_numbers() {
        let Some(Message::Call {
            domain,
            procedure,
            flags,
            parameters,
            ..
        }) = parse(&perform("mx1", 0x2_0002, 4))
        else {
            panic!("it is a call");
        };
        assert_eq!((domain.as_str(), procedure), ("mx1", PROCEDURES[3]));
        let flags: Vec<_> = flags.unwrap().into_iter().collect();
        assert_eq!(flags, ["VIR_MIGRATE_PARALLEL", "VIR_MIGRATE_PEER2PEER"]);
        assert_eq!(parameters["parallel.connections"], 4);
        assert_eq!(parameters.len(), 1);
    }

    #[test]
    fn a_flag_that_nobody_knows_is_told_by_its_bit() {
        let Some(Message::Call { flags, .. }) = parse(&prepare("mx1", 1, 1 << 30)) else {
            panic!("it is a call");
        };
        assert_eq!(flags, Some(["1 << 30".to_owned()].into()));
    }

    #[test]
    fn a_message_that_was_cut_tells_no_flags() {
        let whole = prepare("mx1", 1, 1);
        let Some(Message::Call { domain, flags, .. }) = parse(&whole[..whole.len() - 4]) else {
            panic!("it is a call");
        };
        assert_eq!((domain.as_str(), flags), ("mx1", None));
    }

    #[test]
    fn a_destination_that_is_prepared_names_its_ports() {
        for disks in [None, Some(49_153)] {
            let memory = Some(49_152);
            let serial = 7;
            assert_eq!(
                parse(&prepared(serial, 49_152, disks)),
                Some(Message::Prepared {
                    serial,
                    memory,
                    disks
                })
            );
        }
    }

    #[test]
    fn no_bytes_make_it_stumble() {
        let whole = perform("mx1", 2, 4);
        for end in 0..whole.len() {
            let _whatever = parse(&whole[..end]);
        }
        for at in (0..whole.len()).step_by(4) {
            let mut bytes = whole.clone();
            bytes[at..at + 4].fill(0xff);
            let _whatever = parse(&bytes);
        }
        assert_eq!(parse(&message(300, 0, 1, &[])), None);
        assert_eq!(parse(&message(304, 3, 1, b"data")), None);
    }
}
