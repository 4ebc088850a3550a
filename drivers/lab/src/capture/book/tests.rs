//! What is kept of connections that come and go.

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
