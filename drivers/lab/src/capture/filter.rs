//! What the kernel hands on of all packets: the beginnings and ends of connections, and the calls of
//! a migration.

use socket2::SockFilter;

use super::rpc;
use crate::hosts::{net, spec::PORT};

/// Where a filter finds what is no part of the packet (`SKF_AD_OFF`).
const ANCILLARY: u32 = 0xffff_f000;
const PROTOCOL: u32 = ANCILLARY;
const KIND: u32 = ANCILLARY + 4;
const INTERFACE: u32 = ANCILLARY + 8;

/// `ETH_P_IP`.
const IPV4: u32 = 0x0800;
/// `PACKET_OUTGOING`.
const OUTGOING: u32 = 4;
/// The number of TCP.
const TCP: u32 = 6;
/// FIN, SYN and RST.
const EDGES: u32 = 0x07;
/// What of a packet is kept that has no more than headers to tell.
const HEADERS: u32 = 128;
const ALL: u32 = 0xffff;

// The instructions, see bpf(4).
const LOAD_WORD: u16 = 0x20;
const LOAD_HALF: u16 = 0x28;
const LOAD_BYTE: u16 = 0x30;
const LOAD_WORD_X: u16 = 0x40;
const LOAD_HALF_X: u16 = 0x48;
const LOAD_BYTE_X: u16 = 0x50;
const LOAD_X_HEADER: u16 = 0xb1;
const ADD_X: u16 = 0x0c;
const AND: u16 = 0x54;
const SHIFT_RIGHT: u16 = 0x74;
const TO_X: u16 = 0x07;
const IF_EQUAL: u16 = 0x15;
const IF_ABOVE: u16 = 0x25;
const IF_AT_LEAST: u16 = 0x35;
const IF_ANY: u16 = 0x45;
const RETURN: u16 = 0x06;

/// Where a jump goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Go {
    /// To the next instruction.
    On,
    /// To the end that drops the packet.
    Drop,
    /// To the end that keeps its headers.
    Headers,
    /// So many instructions further.
    Skip(u8),
}
use Go::{Drop, Headers, On, Skip};

/// The program. A packet between two hosts comes in from the one's cable and goes out to the other's;
/// one of ours passes the bridge as well: what comes in from a cable and what goes out from the bridge
/// is each packet once.
pub(super) fn program(bridge: u32) -> Vec<SockFilter> {
    let network = u32::from(net::address(0)) & 0xffff_0000;
    let port = u32::from(PORT);
    let plan = [
        (LOAD_WORD, PROTOCOL, On, On),
        (IF_EQUAL, IPV4, On, Drop),
        (LOAD_WORD, INTERFACE, On, On),
        (IF_EQUAL, bridge, On, Skip(2)),
        (LOAD_WORD, KIND, On, On),
        (IF_EQUAL, OUTGOING, Skip(2), Drop),
        (LOAD_WORD, KIND, On, On),
        (IF_EQUAL, OUTGOING, Drop, On),
        (LOAD_BYTE, 9, On, On),
        (IF_EQUAL, TCP, On, Drop),
        (LOAD_WORD, 12, On, On),
        (AND, 0xffff_0000, On, On),
        (IF_EQUAL, network, On, Drop),
        (LOAD_HALF, 6, On, On),
        (IF_ANY, 0x1fff, Drop, On),
        (LOAD_X_HEADER, 0, On, On),
        (LOAD_BYTE_X, 13, On, On),
        (IF_ANY, EDGES, Headers, On),
        (LOAD_HALF_X, 0, On, On),
        (IF_EQUAL, port, Skip(2), On),
        (LOAD_HALF_X, 2, On, On),
        (IF_EQUAL, port, On, Drop),
        (LOAD_BYTE_X, 12, On, On),
        (AND, 0xf0, On, On),
        (SHIFT_RIGHT, 2, On, On),
        (ADD_X, 0, On, On),
        (TO_X, 0, On, On),
        (LOAD_WORD_X, rpc::AT_PROGRAM, On, On),
        (IF_EQUAL, rpc::PROGRAM, On, Drop),
        (LOAD_WORD_X, rpc::AT_PROCEDURE, On, On),
        (IF_AT_LEAST, rpc::FIRST, On, Drop),
        (IF_ABOVE, rpc::LAST, Drop, On),
        (LOAD_WORD_X, rpc::AT_KIND, On, On),
        (IF_ABOVE, rpc::REPLY, Drop, On),
        (RETURN, ALL, On, On),
        (RETURN, HEADERS, On, On),
        (RETURN, 0, On, On),
    ];
    let last = plan.len() - 1;
    let jump = |at: usize, go: Go| match go {
        On => 0,
        Drop => narrow(last - at - 1),
        Headers => narrow(last - at - 2),
        Skip(far) => far,
    };
    let instruction = |(at, (code, k, yes, no)): (usize, &(u16, u32, Go, Go))| {
        SockFilter::new(*code, jump(at, *yes), jump(at, *no), *k)
    };
    plan.iter().enumerate().map(instruction).collect()
}

fn narrow(far: usize) -> u8 {
    u8::try_from(far).expect("the program is short")
}
