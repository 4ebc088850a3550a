//! What is held, slowed down, broken off and told, on connections of every kind.

use std::{
    fs, net,
    os::fd::{BorrowedFd, OwnedFd},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    time::{Instant, timeout},
};

use super::*;
use crate::{
    pass::CHUNK,
    valve::{EACH, PIECE},
};

const SOON: Duration = Duration::from_millis(50);

async fn laid() -> (tempfile::TempDir, Relay, UnixStream, UnixStream) {
    let folder = tempfile::tempdir().unwrap();
    let (front, back) = (folder.path().join("front"), folder.path().join("back"));
    let listener = UnixListener::bind(&back).unwrap();
    let relay = Relay::lay(&front, back, Parameters::SMALL).unwrap();
    let near = UnixStream::connect(front).await.unwrap();
    let (far, _) = listener.accept().await.unwrap();
    (folder, relay, near, far)
}

async fn comes(stream: &mut UnixStream) -> Option<u8> {
    timeout(SOON, stream.read_u8()).await.ok()?.ok()
}

#[tokio::test]
async fn bytes_go_both_ways_until_it_is_shut_and_again_when_it_is_open() {
    let (_folder, relay, mut near, mut far) = laid().await;
    near.write_u8(1).await.unwrap();
    far.write_u8(2).await.unwrap();
    assert_eq!(
        (comes(&mut far).await, comes(&mut near).await),
        (Some(1), Some(2))
    );
    relay.shut();
    near.write_u8(3).await.unwrap();
    assert_eq!(comes(&mut far).await, None);
    relay.open();
    assert_eq!(comes(&mut far).await, Some(3));
}

#[tokio::test]
async fn it_shuts_in_the_middle_of_what_goes_forward() {
    let (_folder, relay, mut near, mut far) = laid().await;
    let shut = relay.shut_after(2);
    far.write_all(&[9; 8]).await.unwrap();
    near.write_u8(1).await.unwrap();
    assert_eq!(comes(&mut far).await, Some(1));
    near.write_u8(2).await.unwrap();
    timeout(SOON, shut).await.unwrap();
    assert_eq!(comes(&mut far).await, None);
    relay.open();
    assert_eq!(comes(&mut far).await, Some(2));
}

#[tokio::test]
async fn what_goes_by_is_told_connection_by_connection() {
    let (_folder, relay, mut near, mut far) = laid().await;
    near.write_all(b"QEVM").await.unwrap();
    far.write_all(&[0x16; 2 * Wire::KEPT]).await.unwrap();
    let mut bytes = [0; 2 * Wire::KEPT];
    far.read_exact(&mut bytes[..4]).await.unwrap();
    near.read_exact(&mut bytes).await.unwrap();
    let received = "16".repeat(Wire::KEPT);
    let heard = |stamped| Wire {
        sent: "5145564d".to_owned(),
        received: received.clone(),
        stamped,
    };
    assert_eq!(relay.heard(), [heard(false)]);
    let mark = Parameters::SMALL.start ^ u32::from_le_bytes(*b"a-b!");
    near.write_all(&mark.to_le_bytes().repeat(128))
        .await
        .unwrap();
    far.read_exact(&mut [0; 512]).await.unwrap();
    assert!(relay.heard()[0].stamped);
}

#[tokio::test]
async fn ports_and_pairs_are_relayed_as_sockets_are() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let back = listener.local_addr().unwrap().port();
    let (front, relay) = Relay::lay_ports(back, Parameters::SMALL).unwrap();
    let mut near = TcpStream::connect(("127.0.0.1", front)).await.unwrap();
    near.write_u8(7).await.unwrap();
    let (mut far, _) = listener.accept().await.unwrap();
    assert_eq!(far.read_u8().await.unwrap(), 7);
    assert_eq!(relay.heard().len(), 1);
    let (one, near) = unix::UnixStream::pair().unwrap();
    let (far, other) = unix::UnixStream::pair().unwrap();
    let relay = Relay::between(near, far, Parameters::SMALL).unwrap();
    let stream = |one: unix::UnixStream| {
        one.set_nonblocking(true).unwrap();
        UnixStream::from_std(one).unwrap()
    };
    let (mut one, mut other) = (stream(one), stream(other));
    one.write_u8(8).await.unwrap();
    assert_eq!(other.read_u8().await.unwrap(), 8);
    assert_eq!(relay.heard()[0].sent, "08");
}

#[tokio::test]
async fn what_comes_back_can_be_slow_and_what_goes_forward_is_not() {
    let (_folder, relay, mut near, mut far) = laid().await;
    relay.slow_back_after(PIECE as u64);
    far.write_all(&[1; PIECE]).await.unwrap();
    near.read_exact(&mut [0; PIECE]).await.unwrap();
    let began = Instant::now();
    far.write_all(&[1; 5 * PIECE]).await.unwrap();
    near.write_all(&[2; CHUNK]).await.unwrap();
    far.read_exact(&mut [0; CHUNK]).await.unwrap();
    let forward = began.elapsed();
    near.read_exact(&mut [0; 5 * PIECE]).await.unwrap();
    assert!(began.elapsed() >= EACH * 5, "{:?}", began.elapsed());
    assert!(forward < EACH * 5, "{forward:?}");
}

#[tokio::test]
async fn an_end_is_passed_on() {
    let (_folder, _relay, near, mut far) = laid().await;
    drop(near);
    let end = timeout(Duration::from_secs(5), far.read(&mut [0; 1])).await;
    assert_eq!(end.unwrap().unwrap(), 0);
}

/// A relay between two addresses of the loopback interface, and the ends of a connection that goes through it.
async fn laid_tcp() -> (Relay, TcpListener, u16, TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let net::SocketAddr::V4(back) = listener.local_addr().unwrap() else {
        panic!("it was bound to one");
    };
    let (port, relay) = Relay::lay_tcp(Ipv4Addr::LOCALHOST, back, Parameters::SMALL).unwrap();
    let near = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (far, _) = listener.accept().await.unwrap();
    (relay, listener, port, near, far)
}

#[tokio::test]
async fn a_cut_resets_both_ends_and_lets_the_next_connection_through() {
    let (relay, listener, port, mut near, mut far) = laid_tcp().await;
    near.write_u8(1).await.unwrap();
    assert_eq!(far.read_u8().await.unwrap(), 1);
    relay.cut().await;
    for end in [&mut near, &mut far] {
        let read = timeout(Duration::from_secs(5), end.read_u8())
            .await
            .unwrap();
        let kind = read.unwrap_err().kind();
        assert_eq!(kind, io::ErrorKind::ConnectionReset);
    }
    let mut near = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut far, _) = listener.accept().await.unwrap();
    near.write_u8(2).await.unwrap();
    assert_eq!(far.read_u8().await.unwrap(), 2);
}

/// Handles on all sockets of this process, as one has that was forked from it.
fn all_sockets() -> Vec<OwnedFd> {
    let open = fs::read_dir("/proc/self/fd").unwrap();
    let own = open.map(|one| one.unwrap().path()).filter(|path| {
        let target = fs::read_link(path).unwrap_or_default();
        target.to_string_lossy().starts_with("socket:")
    });
    let numbers = own.map(|path| path.file_name().unwrap().to_str().unwrap().parse().unwrap());
    // SAFETY: it is borrowed for this one call, which fails where it isn't open.
    let again =
        numbers.map(|number| unsafe { BorrowedFd::borrow_raw(number) }.try_clone_to_owned());
    again.flatten().collect()
}

#[tokio::test]
async fn a_cut_ends_what_a_process_that_is_being_started_has_handles_on() {
    let (_folder, relay, mut near, mut far) = laid().await;
    near.write_u8(1).await.unwrap();
    assert_eq!(far.read_u8().await.unwrap(), 1);
    let held = all_sockets();
    relay.cut().await;
    for end in [&mut near, &mut far] {
        let kind = end.write_all(&[2; 64]).await.unwrap_err().kind();
        assert_eq!(kind, io::ErrorKind::BrokenPipe);
    }
    drop(held);
    let (relay, _listener, _, mut near, mut far) = laid_tcp().await;
    near.write_u8(1).await.unwrap();
    assert_eq!(far.read_u8().await.unwrap(), 1);
    let _held = all_sockets();
    relay.cut().await;
    for end in [&mut near, &mut far] {
        let kind = end.write_all(&[2; 64]).await.unwrap_err().kind();
        assert_eq!(kind, io::ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn what_comes_when_it_is_cut_is_lost_though_it_is_opened_right_after() {
    for _ in 0..100 {
        let (relay, _listener, _, mut near, mut far) = laid_tcp().await;
        near.write_u8(2).await.unwrap();
        assert_eq!(far.read_u8().await.unwrap(), 2);
        relay.shut_way(Way::Back);
        let closed = relay.cut();
        relay.open();
        // It may be closed already.
        drop(far.try_write(&[1]));
        let kind = near.read_u8().await.unwrap_err().kind();
        assert_eq!(kind, io::ErrorKind::ConnectionReset);
        closed.await;
    }
}

#[tokio::test]
async fn one_way_can_be_shut_alone_and_a_sender_keeps_what_is_held() {
    let (relay, _listener, _, mut near, mut far) = laid_tcp().await;
    relay.shut_way(Way::Back);
    far.write_u8(1).await.unwrap();
    near.write_u8(2).await.unwrap();
    assert_eq!(far.read_u8().await.unwrap(), 2);
    assert!(timeout(SOON, near.read_u8()).await.is_err());
    relay.shut();
    let all = vec![3; 64 << 20];
    assert!(timeout(SOON, near.write_all(&all)).await.is_err());
    let passed = relay.passed();
    assert!(passed <= 1 + 2 * CHUNK as u64, "{passed}");
}

#[tokio::test]
async fn what_goes_forward_keeps_the_pace() {
    let (relay, _listener, _, mut near, mut far) = laid_tcp().await;
    relay.pace(10 * CHUNK as u64);
    let began = Instant::now();
    near.write_all(&[1; 4 * CHUNK]).await.unwrap();
    far.read_exact(&mut [0; 4 * CHUNK]).await.unwrap();
    assert!(
        began.elapsed() >= Duration::from_millis(300),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn the_port_beyond_may_be_the_one_that_is_chosen() {
    let nowhere = SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 3), 0);
    let (port, _relay) = Relay::lay_tcp(Ipv4Addr::LOCALHOST, nowhere, Parameters::SMALL).unwrap();
    let listener = TcpListener::bind(("127.0.0.3", port)).await.unwrap();
    let mut near = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut far, _) = listener.accept().await.unwrap();
    near.write_u8(1).await.unwrap();
    assert_eq!(far.read_u8().await.unwrap(), 1);
}

#[tokio::test]
async fn a_cue_that_goes_forward_in_pieces_shuts_the_way_back_before_it_is_answered() {
    let (relay, _listener, _, mut near, mut far) = laid_tcp().await;
    relay.shut_back_at(b"finish");
    for piece in ["a fin", "i", "sh!"] {
        near.write_all(piece.as_bytes()).await.unwrap();
        far.read_exact(&mut vec![0; piece.len()]).await.unwrap();
    }
    far.write_u8(1).await.unwrap();
    assert!(timeout(SOON, near.read_u8()).await.is_err());
    relay.open();
    assert_eq!(near.read_u8().await.unwrap(), 1);
}

#[tokio::test]
async fn one_asks_whether_what_is_waited_for_has_gone_forward_and_all_goes_through() {
    let (relay, _listener, _, mut near, mut far) = laid_tcp().await;
    relay.wait_for(b"finish");
    for (piece, is_waiting) in [("a fin", true), ("ish!", false)] {
        near.write_all(piece.as_bytes()).await.unwrap();
        far.read_exact(&mut vec![0; piece.len()]).await.unwrap();
        assert_eq!(relay.is_waiting(), is_waiting);
    }
    far.write_u8(1).await.unwrap();
    assert_eq!(near.read_u8().await.unwrap(), 1);
}

#[tokio::test]
async fn what_is_kept_is_taken_from_its_sender_and_comes_when_it_is_open_again_and_nothing_more_is_sent()
 {
    let (relay, _listener, _, mut near, mut far) = laid_tcp().await;
    relay.keep();
    let all = vec![3; 32 << 20];
    near.write_all(&all).await.unwrap();
    assert!(timeout(SOON, far.read_u8()).await.is_err());
    relay.open();
    let mut come = vec![0; all.len()];
    far.read_exact(&mut come).await.unwrap();
    assert_eq!(come, all);
}
