//! What the network carries of a migration: calls of libvirt's protocol, and connections.

use std::collections::BTreeMap;

use migratrix_contract::Migrate;
use migratrix_history::{Connection, Party, Purpose, RemoteCall, Side, Stranger, Traffic};
use migratrix_matrix::{Call, Control};

/// The port that libvirt's daemons listen on.
const DAEMON: u16 = 16_509;
/// The first port that libvirt migrates to.
pub(crate) const DATA: u16 = 49_152;
/// What a connection carries beside the guest's memory, in bytes.
const TALK: u64 = 8_000;

/// What libvirt's documentation says of such a migration, in which so many bytes of memory are sent.
pub(crate) fn honest(how: &Migrate, sent: u64) -> Traffic {
    let call = how.call();
    let asked = |from, to, procedure: &str| RemoteCall {
        from,
        to,
        procedure: procedure.to_owned(),
        flags: Some(call.flags.iter().map(|flag| (*flag).to_owned()).collect()),
        parameters: call
            .parameters
            .iter()
            .map(|(name, number)| ((*name).to_owned(), (*number).into()))
            .collect(),
    };
    let memory = sent + TALK;
    let perform = asked(
        Party::Client,
        Party::Source,
        "domain-migrate-perform3-params",
    );
    let prepare = |from, procedure| asked(from, Party::Destination, procedure);
    let (calls, connections) = match how.scenario.control {
        Control::Normal => (
            vec![
                asked(Party::Client, Party::Source, "domain-migrate-begin3-params"),
                prepare(Party::Client, "domain-migrate-prepare3-params"),
                perform,
            ],
            data(memory, call.channels()),
        ),
        Control::P2p => (
            vec![
                perform,
                prepare(Party::Source, "domain-migrate-prepare3-params"),
            ],
            [
                vec![connection(DAEMON, TALK)],
                data(memory, call.channels()),
            ]
            .concat(),
        ),
        Control::Tunnelled => (
            vec![
                perform,
                prepare(Party::Source, "domain-migrate-prepare-tunnel3-params"),
            ],
            vec![connection(DAEMON, memory)],
        ),
    };
    Traffic {
        calls,
        connections,
        strangers: Vec::new(),
        dropped: 0,
    }
}

/// What the destination is asked for a call of this kind, whoever drives it.
pub(crate) fn prepares(call: &Call) -> RemoteCall {
    RemoteCall {
        from: Party::Client,
        to: Party::Destination,
        procedure: "domain-migrate-prepare3-params".to_owned(),
        flags: Some(call.flags.iter().map(|flag| (*flag).to_owned()).collect()),
        parameters: BTreeMap::new(),
    }
}

/// The connections of QEMU's own: the first one, and one for each channel.
fn data(memory: u64, channels: u32) -> Vec<Connection> {
    let share = memory / u64::from(channels.max(1));
    let first = connection(DATA, if channels == 0 { memory } else { TALK });
    let others = (0..channels).map(|_| connection(DATA, share));
    std::iter::once(first).chain(others).collect()
}

/// A connection from a side to the other one's daemon that nothing explains.
pub(crate) const fn stranger(side: Side) -> Stranger {
    let (from, to) = match side {
        Side::Source => (Party::Source, Party::Destination),
        Side::Destination => (Party::Destination, Party::Source),
    };
    Stranger {
        from,
        to,
        port: DAEMON,
        others: 0,
    }
}

pub(crate) const fn connection(port: u16, sent: u64) -> Connection {
    let purpose = if port == DAEMON {
        Purpose::Calls
    } else {
        Purpose::Memory
    };
    Connection {
        from: Party::Source,
        to: Party::Destination,
        port,
        purpose,
        sent: Some(sent),
        received: Some(TALK),
    }
}
