//! A packet of TCP over IPv4, taken apart.

use std::net::Ipv4Addr;

use super::End;

/// What a packet tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet<'p> {
    pub from: End,
    pub to: End,
    /// The sequence number of its first byte.
    pub sequence: u32,
    /// Whether it begins a connection, and in which direction that goes.
    pub begins: Option<Begin>,
    /// Whether it is the last one of its direction, and how.
    pub ends: Option<Last>,
    /// How many bytes it carries, whether they are here or not.
    pub length: u32,
    /// The bytes that it carries, as far as they were kept.
    pub bytes: &'p [u8],
}

/// Which side begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// The one that makes the connection.
    Caller,
    /// The one that accepts it.
    Callee,
}

/// How a direction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// All was sent.
    Finished,
    /// The connection is broken off, and the other direction with it.
    Reset,
}

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// The packet whose IP header comes first; `None` where it is none of TCP over IPv4, or was cut in its
/// headers.
pub(super) fn parse(ip: &[u8]) -> Option<Packet<'_>> {
    let header = usize::from(ip.first()? & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes(part(ip, 2)?));
    let tcp = ip.get(header..)?;
    let offset = usize::from(tcp.get(12)? >> 4) * 4;
    let flags = *tcp.get(13)?;
    let address = |at| Some(Ipv4Addr::from(part::<4>(ip, at)?));
    let port = |at| Some(u16::from_be_bytes(part(tcp, at)?));
    let bytes = tcp.get(offset..).unwrap_or_default();
    Some(Packet {
        from: (address(12)?, port(0)?),
        to: (address(16)?, port(2)?),
        sequence: u32::from_be_bytes(part(tcp, 4)?),
        begins: (flags & SYN != 0).then_some(match flags & ACK {
            0 => Begin::Caller,
            _ => Begin::Callee,
        }),
        ends: match flags & (FIN | RST) {
            0 => None,
            FIN => Some(Last::Finished),
            _ => Some(Last::Reset),
        },
        length: u32::try_from(total.saturating_sub(header + offset)).ok()?,
        bytes,
    })
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A packet with these flags.
    pub(in crate::capture) fn packet(
        from: End,
        to: End,
        sequence: u32,
        flags: u8,
        bytes: &[u8],
    ) -> Vec<u8> {
        let total = u16::try_from(40 + bytes.len()).unwrap();
        let mut ip = vec![0; 40];
        ip[0] = 0x45;
        ip[2..4].copy_from_slice(&total.to_be_bytes());
        ip[9] = 6;
        ip[12..16].copy_from_slice(&from.0.octets());
        ip[16..20].copy_from_slice(&to.0.octets());
        ip[20..22].copy_from_slice(&from.1.to_be_bytes());
        ip[22..24].copy_from_slice(&to.1.to_be_bytes());
        ip[24..28].copy_from_slice(&sequence.to_be_bytes());
        ip[32] = 0x50;
        ip[33] = flags;
        ip.extend_from_slice(bytes);
        ip
    }

    #[test]
    fn a_packet_is_taken_apart_and_a_cut_one_keeps_its_length() {
        let ends = (
            (Ipv4Addr::new(198, 18, 0, 2), 7),
            (Ipv4Addr::new(198, 18, 0, 3), 8),
        );
        let whole = packet(ends.0, ends.1, 5, FIN | ACK, b"abc");
        let parsed = parse(&whole).unwrap();
        assert_eq!((parsed.from, parsed.to), ends);
        assert_eq!(
            (parsed.sequence, parsed.length, parsed.bytes),
            (5, 3, &b"abc"[..])
        );
        assert_eq!((parsed.begins, parsed.ends), (None, Some(Last::Finished)));
        let cut = parse(&whole[..41]).unwrap();
        assert_eq!((cut.length, cut.bytes), (3, &b"a"[..]));
        assert_eq!(parse(&whole[..30]), None);
        assert_eq!(parse(&[]), None);
    }

    #[test]
    fn who_calls_is_told_from_who_is_called() {
        let end = (Ipv4Addr::LOCALHOST, 1);
        let begins = |flags| parse(&packet(end, end, 0, flags, b"")).unwrap().begins;
        assert_eq!(begins(SYN), Some(Begin::Caller));
        assert_eq!(begins(SYN | ACK), Some(Begin::Callee));
        assert_eq!(begins(ACK), None);
    }
}
