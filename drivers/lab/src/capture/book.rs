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
mod tests;
