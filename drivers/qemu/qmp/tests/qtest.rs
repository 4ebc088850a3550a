//! The qtest client, against peers that behave and peers that don't.

mod peer;

use std::time::Duration;

use migratrix_qmp::{Endianness, Ending, Irq, Level, QemuError, Qtest, Width};
use peer::{Then, changed, saying, with_a_jumping_clock};
use proptest::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};

const SOON: Duration = Duration::from_secs(5);

fn qtest(answers: &[&str], then: Then) -> Qtest<DuplexStream> {
    let answers = answers.iter().map(|answer| answer.as_bytes().to_vec());
    Qtest::new(saying(
        std::iter::once(Vec::new()).chain(answers).collect(),
        then,
    ))
}

/// A machine with some memory at address 0.
async fn machine(stream: DuplexStream, mut memory: Vec<u8>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    while lines.read_line(&mut line).await? > 0 {
        let mut words = line.split_whitespace();
        let verb = words.next().unwrap().to_owned();
        let mut number = || usize::from_str_radix(&words.next().unwrap()[2..], 16).unwrap();
        let (at, size) = (number(), number());
        assert!(size > 0, "QEMU aborts on an empty range");
        let range = at..at + size;
        let answer = match verb.as_str() {
            "read" => format!(
                "OK 0x{}",
                memory[range]
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect::<String>()
            ),
            "b64write" => {
                memory[range].fill(words.next().unwrap().as_bytes()[0]);
                "OK".to_owned()
            }
            other => format!("FAIL Unknown command '{other}'"),
        };
        lines
            .write_all(format!("IRQ raise {at}\n{answer}\n").as_bytes())
            .await?;
        line.clear();
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn memory_is_moved_in_chunks_that_are_never_empty() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let memory: Vec<u8> = (0..600_000_u32).map(|at| (at % 251) as u8).collect();
    tokio::spawn(machine(theirs, memory.clone()));
    let mut qtest = Qtest::new(ours);
    assert_eq!(
        qtest.read_memory_hex(5, 599_990, SOON).await.unwrap(),
        memory[5..599_995]
    );
    assert!(qtest.read_memory_hex(0, 0, SOON).await.unwrap().is_empty());
    qtest.write_memory(0, &[], SOON).await.unwrap();
    qtest.write_memory(0, &[0; 300_000], SOON).await.unwrap();
    assert_eq!(qtest.read_memory_hex(0, 1, SOON).await.unwrap(), b"A");
    assert_eq!(qtest.take_irqs().len(), 3 + 2 + 1);
    let refusal = qtest.read_memory(0, 1, SOON).await.unwrap_err().to_string();
    assert_eq!(refusal, "`b64read` was refused: Unknown command 'b64read'");
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_answer_is_understood() {
    let answers = [
        "OK 0x00000000deadbeef\n",
        "OK\n",
        "OK 0x00ff\n",
        "OK\n",
        "OK little\n",
        "OK 1500\n",
        "OK YWI=\n",
    ];
    let mut qtest = qtest(&answers, Then::Hold);
    assert_eq!(
        qtest.read(Width::Long, 0x1000, SOON).await.unwrap(),
        0xdead_beef
    );
    qtest.write(Width::Quad, 0x1000, 7, SOON).await.unwrap();
    assert_eq!(qtest.port_in(Width::Byte, 0x3f8, SOON).await.unwrap(), 0xff);
    qtest.port_out(Width::Byte, 0x3f8, 1, SOON).await.unwrap();
    assert_eq!(qtest.endianness(SOON).await.unwrap(), Endianness::Little);
    assert_eq!(
        qtest.clock_step(None, SOON).await.unwrap(),
        Duration::from_nanos(1500)
    );
    assert_eq!(qtest.read_memory(0, 2, SOON).await.unwrap(), b"ab");
}

#[tokio::test(start_paused = true)]
async fn memory_that_is_no_base64_or_of_another_length_is_an_error() {
    for text in ["Zg", "Z===", "Zg=a", "Zm 9", "====", "", "YWI="] {
        let mut qtest = qtest(&[&format!("OK {text}\n")], Then::Hold);
        let error = qtest.read_memory(0, 1, SOON).await.unwrap_err().to_string();
        assert!(
            error.contains("not of the expected form"),
            "{text}: {error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn interrupts_between_answers_are_kept() {
    let mut qtest = qtest(&["IRQ raise 4\r\nIRQ lower 4\nOK 0x1\n"], Then::Hold);
    assert_eq!(qtest.read(Width::Byte, 0, SOON).await.unwrap(), 1);
    let irqs = [Level::Raised, Level::Lowered].map(|level| Irq { line: 4, level });
    assert_eq!(qtest.take_irqs(), irqs);
    assert!(qtest.take_irqs().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_leaves_the_connection_of_use() {
    let mut qtest = qtest(
        &["FAIL Unknown command 'readb'\n", "ERR no\n", "OK 0x2\n"],
        Then::Hold,
    );
    for expected in ["Unknown command", "no"] {
        let refusal = qtest.read(Width::Byte, 0, SOON).await.unwrap_err();
        assert!(
            matches!(&refusal, QemuError::RefusedByQtest { response, .. } if response.contains(expected))
        );
    }
    assert_eq!(qtest.read(Width::Byte, 0, SOON).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn memory_of_another_length_is_no_answer() {
    let mut qtest = qtest(&["OK YWI=\n", "OK !!!!\n", "OK 0x1\n"], Then::Hold);
    for _ in 0..2 {
        let error = qtest.read_memory(0, 3, SOON).await.unwrap_err();
        assert!(matches!(error, QemuError::Malformed { .. }), "{error}");
    }
    assert!(qtest.read_memory_hex(0, 3, SOON).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_range_past_the_last_address_is_not_asked_for() {
    let error = qtest(&[], Then::Hold)
        .read_memory(u64::MAX, 2, SOON)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("0xffffffffffffffff"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_command_that_was_given_up_ends_the_connection() {
    let mut qtest = qtest(&["", "OK 0x1\nOK 0x2\n"], Then::Hold);
    let error = qtest.read(Width::Byte, 0, SOON).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "awaited the answer to qtest's `readb`, but nothing of it came within 5 s"
    );
    for _ in 0..2 {
        let error = qtest.read(Width::Byte, 0, SOON).await.unwrap_err();
        assert!(
            matches!(
                error,
                QemuError::Disconnected {
                    ending: Ending::Dropped,
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_answer_ends_the_connection() {
    let floods = [vec![b'x'; 5 << 20], b"IRQ raise 1\n".repeat(70_000)];
    let floods = floods.map(|bytes| String::from_utf8(bytes).unwrap());
    for said in [
        "hello\n",
        "IRQ raise\n",
        "IRQ rise 4\n",
        "\n",
        "\u{0}\n",
        &floods[0],
        &floods[1],
    ] {
        let mut qtest = qtest(&[said], Then::Hold);
        let error = qtest.read(Width::Byte, 0, SOON).await.unwrap_err();
        assert!(matches!(error, QemuError::Disconnected { .. }), "{error}");
    }
}

/// A session, as far as it goes: no error but one that names what was awaited, or what was said.
async fn session(pieces: Vec<Vec<u8>>, then: Then) -> Result<(), QemuError> {
    let mut qtest = Qtest::new(saying(
        std::iter::once(Vec::new()).chain(pieces).collect(),
        then,
    ));
    qtest.endianness(SOON).await?;
    qtest.read(Width::Quad, 0, SOON).await?;
    qtest.read_memory(0, 2, SOON).await.map(drop)
}

const PIECES: [&str; 3] = ["OK little\n", "IRQ raise 4\nOK 0x00ff\n", "OK YWI=\n"];

#[test]
fn a_session_that_is_cut_anywhere_ends_with_a_clear_error() {
    let all = PIECES.concat().len();
    for place in 0..all {
        for then in [Then::Close, Then::Hold] {
            let cut = changed(&PIECES, |bytes| bytes.truncate(place));
            let error = with_a_jumping_clock(session(cut, then)).unwrap_err();
            assert!(error.awaited().is_some(), "{error}");
        }
    }
    assert!(with_a_jumping_clock(session(changed(&PIECES, |_| {}), Then::Close)).is_ok());
}

#[test]
fn a_session_with_any_byte_changed_does_not_make_it_panic() {
    for place in 0..PIECES.concat().len() {
        for byte in u8::MIN..=u8::MAX {
            let changed = changed(&PIECES, |bytes| bytes[place] = byte);
            drop(with_a_jumping_clock(session(changed, Then::Close)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_bytes_make_it_panic(pieces: Vec<Vec<u8>>) {
        drop(with_a_jumping_clock(session(pieces, Then::Hold)));
    }
}
