//! What was captured, by the domain that it belongs to.
//!
//! A call names its domain. The connection that it went over belongs to the domain as well, where both
//! ends are hosts; and so does each that is made to a port which the destination has named for the
//! domain's data, until the first of them is over or the port is named for another domain.
//!
//! What is left over between two hosts is strange: nothing that we had done explains it. A daemon that was
//! asked to migrate peer to peer may have a connection to another one that has carried no call yet, or never
//! will.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::Ipv4Addr,
};

use migratrix_history::{Connection, Party, Purpose, RemoteCall, Stranger, Traffic};
use serde_json::Value;

use super::{
    End,
    packet::{Begin, Last, Packet},
    rpc::{self, Message},
};

/// Whose address is whose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) client: Ipv4Addr,
    pub(crate) source: Ipv4Addr,
    pub(crate) destination: Ipv4Addr,
}

/// All that was captured and is still of use.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// What is kept of each domain that somebody asked for.
    domains: HashMap<String, Pages>,
    /// The connections that are up, by who made them and to where.
    open: HashMap<(End, End), Link>,
    /// For whose data a destination has named its port last.
    ports: HashMap<End, (String, Purpose)>,
    /// The connections that belong to no domain so far.
    strange: BTreeMap<u64, Link>,
    /// The hosts whose daemons were asked to move a domain by themselves, and have not asked another yet.
    asking: HashMap<String, Ipv4Addr>,
    /// Which domain a call was about that is not answered yet.
    asked: HashMap<(End, End, u32), String>,
    /// Counts the connections.
    links: u64,
}

/// What is kept of a domain.
#[derive(Debug, Default)]
struct Pages {
    calls: Vec<Call>,
    /// Its connections, as they were seen last.
    links: BTreeMap<u64, Link>,
    /// How many packets were lost before.
    dropped: u64,
    /// How many connections there were before.
    earlier: u64,
    /// The hosts that it is expected on.
    hosts: BTreeSet<Ipv4Addr>,
}

#[derive(Debug)]
struct Call {
    from: Ipv4Addr,
    to: Ipv4Addr,
    procedure: &'static str,
    flags: Option<BTreeSet<String>>,
    parameters: BTreeMap<String, Value>,
}

/// A connection.
#[derive(Clone, Debug)]
struct Link {
    number: u64,
    from: End,
    to: End,
    /// Whose it is.
    domain: Option<String>,
    purpose: Purpose,
    sent: Way,
    received: Way,
    /// How many domains were expected where it goes, when it was made.
    among: usize,
}

/// One direction of a connection, by its sequence numbers.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    first: Option<u32>,
    last: Option<u32>,
}

impl Way {
    /// How many bytes went, if the end was seen. The count goes round at 4 GiB.
    fn bytes(self) -> Option<u64> {
        Some(self.last?.wrapping_sub(self.first?).into())
    }
}

impl Book {
    /// Keeps what comes of the domain, which is expected on the host at `address`.
    pub(super) fn expect(&mut self, domain: &str, address: Ipv4Addr, dropped: u64) {
        let pages = self.domains.entry(domain.to_owned());
        let pages = pages.or_insert_with(|| Pages {
            dropped,
            earlier: self.links,
            ..Pages::default()
        });
        pages.hosts.insert(address);
    }

    pub(super) fn forget(&mut self, domain: &str) {
        self.domains.remove(domain);
        self.asking.remove(domain);
        let oldest = self.domains.values().map(|pages| pages.earlier).min();
        let oldest = oldest.unwrap_or(u64::MAX);
        self.strange.retain(|number, _| *number > oldest);
        self.ports.retain(|_, (of, _)| of != domain);
        self.asked.retain(|_, of| of != domain);
    }

    pub(super) fn note(&mut self, packet: &Packet<'_>) {
        match packet.begins {
            Some(Begin::Caller) => self.begin(packet),
            Some(Begin::Callee) => {
                if let Some(link) = self.open.get_mut(&(packet.to, packet.from)) {
                    link.received.first = Some(packet.sequence.wrapping_add(1));
                }
            }
            None => match (packet.ends, rpc::parse(packet.bytes)) {
                (Some(how), _) => self.end(packet, how),
                (None, Some(message)) => self.hear(packet, message),
                (None, None) => {}
            },
        }
    }

    fn begin(&mut self, packet: &Packet<'_>) {
        self.links += 1;
        let mut link = Link {
            number: self.links,
            from: packet.from,
            to: packet.to,
            domain: None,
            purpose: Purpose::Calls,
            sent: Way::default(),
            received: Way::default(),
            among: self.expected_on(packet.to.0),
        };
        link.sent.first = Some(packet.sequence.wrapping_add(1));
        if let Some((domain, purpose)) = self.ports.get(&packet.to) {
            link.domain = Some(domain.clone());
            link.purpose = *purpose;
        }
        // One that is begun once more, because its first packet was lost, stays the same.
        let place = (packet.from, packet.to);
        if let Some(old) = self.open.remove(&place) {
            link.number = if old.sent.first == link.sent.first {
                old.number
            } else {
                link.number
            };
        }
        if link.domain.is_none() {
            self.strange.insert(link.number, link.clone());
        }
        self.keep(&link);
        self.open.insert(place, link);
    }

    /// One direction of a connection has ended; with both it is over.
    fn end(&mut self, packet: &Packet<'_>, how: Last) {
        let last = Some(packet.sequence.wrapping_add(packet.length));
        let place = [(packet.from, packet.to), (packet.to, packet.from)];
        let Some(place) = place
            .into_iter()
            .find(|place| self.open.contains_key(place))
        else {
            return;
        };
        let Some(link) = self.open.get_mut(&place) else {
            return;
        };
        let way = if link.from == packet.from {
            &mut link.sent
        } else {
            &mut link.received
        };
        way.last = way.last.or(last);
        let link = link.clone();
        self.keep(&link);
        let is_over = link.sent.last.is_some() && link.received.last.is_some();
        if is_over || how == Last::Reset {
            self.open.remove(&place);
            // Nobody else comes for it, and libvirt gives the port to another domain: it may have already.
            let its = self.ports.get(&place.1).map(|(of, _)| of);
            if its.is_some() && its == link.domain.as_ref() {
                self.ports.remove(&place.1);
            }
        }
    }

    fn hear(&mut self, packet: &Packet<'_>, message: Message) {
        match message {
            Message::Call {
                serial,
                domain,
                procedure,
                flags,
                parameters,
            } => {
                match rpc::asks_daemon(procedure, flags.as_ref()) {
                    Some(true) => drop(self.asking.insert(domain.clone(), packet.to.0)),
                    Some(false) => drop(self.asking.remove(&domain)),
                    None => {}
                }
                if let Some(pages) = self.domains.get_mut(&domain) {
                    pages.calls.push(Call {
                        from: packet.from.0,
                        to: packet.to.0,
                        procedure,
                        flags,
                        parameters,
                    });
                }
                let place = (packet.from, packet.to);
                self.asked
                    .insert((packet.from, packet.to, serial), domain.clone());
                if let Some(link) = self.open.get_mut(&place) {
                    link.domain.get_or_insert(domain);
                    let link = link.clone();
                    self.strange.remove(&link.number);
                    self.keep(&link);
                }
            }
            Message::Prepared {
                serial,
                memory,
                disks,
            } => {
                let Some(domain) = self.asked.remove(&(packet.to, packet.from, serial)) else {
                    return;
                };
                for (port, purpose) in [(memory, Purpose::Memory), (disks, Purpose::Disks)] {
                    let port = port.map(|port| (packet.from.0, port));
                    let its = (domain.clone(), purpose);
                    self.ports.extend(port.map(|port| (port, its)));
                }
            }
        }
    }

    fn keep(&mut self, link: &Link) {
        let pages = link
            .domain
            .as_ref()
            .and_then(|domain| self.domains.get_mut(domain));
        if let Some(pages) = pages {
            pages.links.insert(link.number, link.clone());
        }
    }

    pub(super) fn traffic(&self, domain: &str, ends: &Ends, dropped: u64) -> Option<Traffic> {
        let pages = self.domains.get(domain)?;
        let links = pages
            .links
            .values()
            .filter(|link| link.from.0 != ends.client);
        Some(Traffic {
            calls: pages.calls.iter().map(|call| call.told(ends)).collect(),
            connections: links.map(|link| link.told(ends)).collect(),
            strangers: self.strangers(pages.earlier, ends),
            dropped: dropped.saturating_sub(pages.dropped),
        })
    }

    /// The connections to the two hosts that nothing explains, since there were so many: of those of a host
    /// whose daemon was asked to migrate, one for each such call may be explained yet.
    fn strangers(&self, earlier: u64, ends: &Ends) -> Vec<Stranger> {
        let mut by_host: BTreeMap<Ipv4Addr, Vec<&Link>> = BTreeMap::new();
        for link in self.strange.range(earlier + 1..).map(|(_, link)| link) {
            by_host.entry(link.from.0).or_default().push(link);
        }
        let is_to_us = |link: &&Link| [ends.source, ends.destination].contains(&link.to.0);
        let unexplained = by_host.into_iter().flat_map(|(host, mut links)| {
            let asking = self.asking.values().filter(|one| **one == host).count();
            links.truncate(links.len().saturating_sub(asking));
            links
        });
        let ours = unexplained.filter(|link| link.from.0 != ends.client);
        ours.filter(is_to_us)
            .map(|link| link.strange(ends))
            .collect()
    }

    /// How many domains are expected on the host at `address`.
    fn expected_on(&self, address: Ipv4Addr) -> usize {
        let pages = self.domains.values();
        pages.filter(|pages| pages.hosts.contains(&address)).count()
    }
}

impl Ends {
    fn party(&self, address: Ipv4Addr) -> Party {
        match address {
            _ if address == self.client => Party::Client,
            _ if address == self.source => Party::Source,
            _ if address == self.destination => Party::Destination,
            _ => Party::Other,
        }
    }
}

impl Call {
    fn told(&self, ends: &Ends) -> RemoteCall {
        RemoteCall {
            from: ends.party(self.from),
            to: ends.party(self.to),
            procedure: self.procedure.to_owned(),
            flags: self.flags.clone(),
            parameters: self.parameters.clone(),
        }
    }
}

impl Link {
    fn strange(&self, ends: &Ends) -> Stranger {
        Stranger {
            from: ends.party(self.from.0),
            to: ends.party(self.to.0),
            port: self.to.1,
            others: self.among.saturating_sub(1),
        }
    }

    fn told(&self, ends: &Ends) -> Connection {
        Connection {
            from: ends.party(self.from.0),
            to: ends.party(self.to.0),
            port: self.to.1,
            purpose: self.purpose,
            sent: self.sent.bytes(),
            received: self.received.bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{
        packet::{parse, tests::packet},
        rpc::tests::{perform, prepare, prepared},
    };

    const ENDS: Ends = Ends {
        client: Ipv4Addr::new(198, 18, 0, 1),
        source: Ipv4Addr::new(198, 18, 0, 2),
        destination: Ipv4Addr::new(198, 18, 0, 3),
    };
    const SYN: u8 = 0x02;
    const SYN_ACK: u8 = 0x12;
    const ACK: u8 = 0x10;
    const FIN: u8 = 0x11;

    fn note(book: &mut Book, from: End, to: End, sequence: u32, flags: u8, bytes: &[u8]) {
        book.note(&parse(&packet(from, to, sequence, flags, bytes)).unwrap());
    }

    /// A connection that carries so many bytes in each direction, near the end of the numbers.
    fn whole(book: &mut Book, from: End, to: End, [sent, received]: [u32; 2]) {
        let first = u32::MAX - 1;
        note(book, from, to, first, SYN, b"");
        note(book, to, from, first, SYN_ACK, b"");
        note(book, from, to, first.wrapping_add(1 + sent - 1), FIN, b"x");
        note(
            book,
            to,
            from,
            first.wrapping_add(1 + received - 1),
            FIN,
            b"x",
        );
    }

    fn expecting(domains: &[&str]) -> Book {
        let mut book = Book::default();
        for domain in domains {
            book.expect(domain, ENDS.source, 5);
            book.expect(domain, ENDS.destination, 6);
        }
        book
    }

    #[test]
    fn a_peer_to_peer_migration_is_told_by_its_calls_and_by_both_of_its_connections() {
        let mut book = expecting(&["a"]);
        let (client, daemon) = ((ENDS.client, 1_000), (ENDS.source, 16_509));
        note(&mut book, client, daemon, 0, ACK, &perform("a", 2, 4));
        let (peer, far) = ((ENDS.source, 2_000), (ENDS.destination, 16_509));
        note(&mut book, peer, far, 99, SYN, b"");
        note(&mut book, far, peer, 199, SYN_ACK, b"");
        note(&mut book, peer, far, 100, ACK, &prepare("a", 7, 2));
        note(&mut book, far, peer, 200, ACK, &prepared(7, 49_152, None));
        whole(
            &mut book,
            (ENDS.source, 3_000),
            (ENDS.destination, 49_152),
            [70_000, 17],
        );
        note(&mut book, peer, far, 400, FIN, b"");
        note(&mut book, far, peer, 500, FIN, b"");
        let traffic = book.traffic("a", &ENDS, 5).unwrap();
        let calls: Vec<_> = traffic
            .calls
            .iter()
            .map(|call| (call.from, call.to))
            .collect();
        let (peers, asked) = (
            (Party::Source, Party::Destination),
            (Party::Client, Party::Source),
        );
        assert_eq!(calls, [asked, peers]);
        let told: Vec<_> = traffic.connections.iter().collect();
        let told: Vec<_> = told
            .iter()
            .map(|one| (one.port, one.sent, one.received))
            .collect();
        assert_eq!(
            told,
            [
                (16_509, Some(300), Some(300)),
                (49_152, Some(70_000), Some(17))
            ]
        );
        assert!(book.open.is_empty());
        assert_eq!(traffic.dropped, 0);
    }

    #[test]
    fn a_port_that_is_used_again_belongs_to_the_domain_that_it_was_named_for_last() {
        let mut book = expecting(&["a", "b"]);
        let far = (ENDS.destination, 16_509);
        for (domain, port) in [("a", 1), ("b", 2)] {
            let client = (ENDS.client, port);
            note(&mut book, client, far, 0, ACK, &prepare(domain, 3, 0));
            note(&mut book, far, client, 0, ACK, &prepared(3, 49_152, None));
            let from = (ENDS.source, 3_000);
            whole(
                &mut book,
                from,
                (ENDS.destination, 49_152),
                [u32::from(port) * 100, 0],
            );
        }
        let sent = |domain| book.traffic(domain, &ENDS, 6).unwrap().connections[0].sent;
        assert_eq!([sent("a"), sent("b")], [Some(100), Some(200)]);
        assert_eq!(book.traffic("b", &ENDS, 6).unwrap().dropped, 1);
    }

    #[test]
    fn disks_go_to_a_port_of_their_own_and_a_port_that_is_done_with_belongs_to_nobody() {
        let mut book = expecting(&["a"]);
        let (client, far) = ((ENDS.client, 1), (ENDS.destination, 16_509));
        note(&mut book, client, far, 0, ACK, &prepare("a", 3, 0));
        let answer = prepared(3, 49_152, Some(49_153));
        note(&mut book, far, client, 0, ACK, &answer);
        let from = (ENDS.source, 3_000);
        for port in [49_153, 49_152, 49_152] {
            // The last one is of another domain, whose port was not named here.
            whole(&mut book, from, (ENDS.destination, port), [100, 0]);
        }
        let told = book.traffic("a", &ENDS, 5).unwrap().connections;
        let told: Vec<_> = told.iter().map(|one| (one.port, one.purpose)).collect();
        assert_eq!(told, [(49_153, Purpose::Disks), (49_152, Purpose::Memory)]);
    }

    /// How the source's daemon comes to be asked by the client.
    fn asked(book: &mut Book, domain: &str, flags: u32) {
        let (client, daemon) = ((ENDS.client, 1_000), (ENDS.source, 16_509));
        note(book, client, daemon, 0, ACK, &perform(domain, flags, 4));
    }

    fn strangers(book: &Book, domain: &str) -> Vec<(Party, Party, u16, usize)> {
        let strangers = book.traffic(domain, &ENDS, 5).unwrap().strangers;
        let told = strangers
            .iter()
            .map(|one| (one.from, one.to, one.port, one.others));
        told.collect()
    }

    const PEER: (End, End) = ((ENDS.source, 2_000), (ENDS.destination, 16_509));
    const STRANGE: (Party, Party, u16, usize) = (Party::Source, Party::Destination, 16_509, 0);
    const P2P: u32 = 2;

    #[test]
    fn a_connection_that_no_call_explains_is_strange_whichever_way_it_goes() {
        let mut book = expecting(&["a"]);
        asked(&mut book, "a", P2P);
        note(&mut book, PEER.0, PEER.1, 99, SYN, b"");
        note(&mut book, PEER.0, PEER.1, 100, ACK, &prepare("a", 7, 2));
        assert_eq!(strangers(&book, "a"), []);
        let far = (ENDS.destination, 3_000);
        whole(&mut book, (ENDS.source, 3_000), PEER.1, [0, 0]);
        whole(&mut book, far, (ENDS.source, 16_509), [0, 0]);
        whole(&mut book, far, (ENDS.source, 49_152), [9, 9]);
        whole(&mut book, (ENDS.client, 3_000), PEER.1, [9, 9]);
        let back = |port| (Party::Destination, Party::Source, port, 0);
        let all = [STRANGE, back(16_509), back(49_152)];
        assert_eq!(strangers(&book, "a"), all);
        book.forget("a");
        assert!(book.strange.is_empty());
    }

    #[test]
    fn a_daemon_that_was_asked_to_migrate_may_call_yet_or_be_refused_before() {
        let mut book = expecting(&["a"]);
        note(&mut book, PEER.0, PEER.1, 99, SYN, b"");
        assert_eq!(strangers(&book, "a"), [STRANGE], "before it was asked");
        asked(&mut book, "b", P2P);
        assert_eq!(strangers(&book, "a"), [], "of a domain that nobody expects");
        whole(&mut book, (ENDS.source, 3_000), PEER.1, [0, 0]);
        assert_eq!(
            strangers(&book, "a"),
            [STRANGE],
            "one more than was asked for"
        );
        note(&mut book, PEER.0, PEER.1, 100, ACK, &prepare("b", 7, 2));
        assert_eq!(strangers(&book, "a"), [STRANGE], "the other is explained");
        asked(&mut book, "a", 0);
        assert_eq!(strangers(&book, "a"), [STRANGE], "the client drives it");
    }

    #[test]
    fn a_connection_that_others_may_have_made_is_told_with_their_number_and_an_old_one_is_not() {
        let mut book = expecting(&["a", "b"]);
        book.expect("c", Ipv4Addr::new(198, 18, 0, 9), 5);
        whole(&mut book, PEER.0, PEER.1, [0, 0]);
        assert_eq!(
            strangers(&book, "a"),
            [(STRANGE.0, STRANGE.1, STRANGE.2, 1)]
        );
        book.expect("late", ENDS.source, 5);
        assert_eq!(strangers(&book, "late"), []);
        book.forget("a");
        assert_eq!(strangers(&book, "b").len(), 1);
    }

    #[test]
    fn the_connections_of_another_domain_are_not_strange_though_nobody_expects_it() {
        let mut book = expecting(&["a"]);
        asked(&mut book, "z", 0);
        let (client, far) = ((ENDS.client, 1), (ENDS.destination, 16_509));
        note(&mut book, client, far, 0, ACK, &prepare("z", 3, 0));
        note(&mut book, far, client, 0, ACK, &prepared(3, 49_152, None));
        let to = (ENDS.destination, 49_152);
        whole(&mut book, (ENDS.source, 3_000), to, [9, 9]);
        assert_eq!(strangers(&book, "a"), []);
    }

    #[test]
    fn what_nobody_asked_for_is_not_kept() {
        let mut book = expecting(&["a"]);
        let far = (ENDS.destination, 16_509);
        note(
            &mut book,
            (ENDS.client, 1),
            far,
            0,
            ACK,
            &prepare("z", 3, 0),
        );
        whole(
            &mut book,
            (ENDS.source, 3_000),
            (ENDS.destination, 49_200),
            [100, 0],
        );
        assert!(book.traffic("z", &ENDS, 5).is_none());
        assert_eq!(book.traffic("a", &ENDS, 5).unwrap().connections, []);
        book.forget("a");
        assert!(book.traffic("a", &ENDS, 5).is_none());
    }

    #[test]
    fn a_connection_whose_end_was_not_seen_tells_no_bytes() {
        let mut book = expecting(&["a"]);
        let (client, far) = ((ENDS.client, 1), (ENDS.destination, 16_509));
        note(&mut book, client, far, 0, ACK, &prepare("a", 3, 0));
        note(&mut book, far, client, 0, ACK, &prepared(3, 49_152, None));
        note(
            &mut book,
            (ENDS.source, 5),
            (ENDS.destination, 49_152),
            0,
            SYN,
            b"",
        );
        let told = book.traffic("a", &ENDS, 5).unwrap().connections;
        assert_eq!((told[0].sent, told[0].received), (None, None));
    }
}
