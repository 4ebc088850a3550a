//! The QMP client, against peers that behave and peers that don't.

mod peer;

use std::time::Duration;

use migratrix_qmp::{Answer, Ending, QemuError, Qmp};
use peer::{Then, changed, saying, with_a_jumping_clock};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};

const GREETING: &str = "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 2, \
    \"major\": 5}, \"package\": \"\"}, \"capabilities\": [\"oob\"]}}\r\n";
const READY: &str = "{\"return\": {}, \"id\": 1}\r\n";
const STOP: &str =
    "{\"timestamp\": {\"seconds\": 7, \"microseconds\": 1}, \"event\": \"STOP\"}\r\n";
const RESUME: &str = "{\"event\": \"RESUME\", \"data\": {\"a\": [1, \"}\"]}}\r\n";
const STATUS: &str = "{\"return\": {\"status\": \"paused\"}, \"id\": 2}\r\n";

const SOON: Duration = Duration::from_secs(5);

async fn connect(pieces: &[&str], then: Then) -> Result<Qmp, QemuError> {
    let pieces = pieces
        .iter()
        .map(|piece| piece.as_bytes().to_vec())
        .collect();
    Qmp::connect(saying(pieces, then), SOON).await
}

async fn status(qmp: &Qmp) -> Result<Answer, QemuError> {
    qmp.execute("query-status", json!({}), SOON).await
}

fn ending(error: QemuError) -> Ending {
    let QemuError::Disconnected { ending, .. } = error else {
        panic!("{error}");
    };
    ending
}

#[tokio::test(start_paused = true)]
async fn out_of_band_commands_are_enabled_where_they_are_offered() {
    for (offer, enabled) in [
        ("[\"oob\"]", json!(["oob"])),
        ("[\"new\"]", json!([])),
        ("[]", json!([])),
    ] {
        let (ours, theirs) = tokio::io::duplex(4096);
        let connecting = tokio::spawn(Qmp::connect(ours, SOON));
        let mut theirs = BufReader::new(theirs);
        theirs
            .write_all(GREETING.replace("[\"oob\"]", offer).as_bytes())
            .await
            .unwrap();
        let command = hear(&mut theirs).await;
        assert_eq!(command["execute"], "qmp_capabilities");
        assert_eq!(command["arguments"]["enable"], enabled);
        theirs.write_all(READY.as_bytes()).await.unwrap();
        let qmp = connecting.await.unwrap().unwrap();
        assert_eq!(qmp.greeting().version.to_string(), "5.2.0");
        assert_eq!(qmp.has_out_of_band(), enabled != json!([]));
    }
}

async fn hear(stream: &mut BufReader<DuplexStream>) -> Value {
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    serde_json::from_str(&line).unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_answer_out_of_band_may_overtake() {
    let (ours, theirs) = tokio::io::duplex(4096);
    let mut theirs = BufReader::new(theirs);
    theirs.write_all(GREETING.as_bytes()).await.unwrap();
    let qemu = async {
        hear(&mut theirs).await;
        theirs.write_all(READY.as_bytes()).await.unwrap();
        let slow = hear(&mut theirs).await;
        let fast = hear(&mut theirs).await;
        assert_eq!(
            (&slow["execute"], &fast["exec-oob"]),
            (&json!("slow"), &json!("fast"))
        );
        for command in [fast, slow] {
            let answer = json!({ "return": command, "id": command["id"] });
            theirs
                .write_all(answer.to_string().as_bytes())
                .await
                .unwrap();
        }
    };
    let client = async {
        let qmp = Qmp::connect(ours, SOON).await.unwrap();
        let slow = qmp.execute("slow", json!({}), SOON);
        let fast = qmp.execute_out_of_band("fast", json!({ "a": 1 }), SOON);
        let (slow, fast) = tokio::join!(slow, fast);
        assert_eq!(slow.unwrap().unwrap()["execute"], "slow");
        assert_eq!(fast.unwrap().unwrap()["arguments"], json!({ "a": 1 }));
    };
    tokio::join!(qemu, client);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_answer() {
    let refusal = "{\"id\": 2, \"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}";
    let qmp = connect(&[GREETING, READY, refusal], Then::Hold)
        .await
        .unwrap();
    assert_eq!(
        status(&qmp).await.unwrap().unwrap_err().class,
        "GenericError"
    );
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_not_to_be_refused_makes_an_error_of_it() {
    let refusal = "{\"id\": 2, \"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}";
    let qmp = connect(&[GREETING, READY, refusal], Then::Hold)
        .await
        .unwrap();
    let error = qmp.ask("query-status", json!({}), SOON).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`query-status` was refused: GenericError: no"
    );
}

#[tokio::test(start_paused = true)]
async fn events_come_in_their_order_to_everybody_who_asks() {
    let before_and_after = [STOP, READY, RESUME].concat();
    let qmp = connect(&[GREETING, &before_and_after, STATUS], Then::Hold)
        .await
        .unwrap();
    let mut news = qmp.events();
    status(&qmp).await.unwrap().unwrap();
    let mut all = qmp.all_events();
    let names: Vec<String> = qmp
        .all_events()
        .drain()
        .into_iter()
        .map(|event| event.name)
        .collect();
    assert_eq!(names, ["STOP", "RESUME"]);
    assert_eq!(all.wait_for("RESUME", SOON).await.unwrap().data["a"][0], 1);
    assert!(all.drain().is_empty());
    assert!(news.drain().len() <= 1);
    let stop = qmp
        .all_events()
        .wait("STOP", SOON, |event| event.at.is_some())
        .await
        .unwrap();
    assert_eq!(stop.at, Some(Duration::from_micros(7_000_001)));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_does_not_come_is_named_and_passes_over_none() {
    let qmp = connect(&[GREETING, &[STOP, READY].concat()], Then::Hold)
        .await
        .unwrap();
    let mut events = qmp.all_events();
    let error = events.wait_for("RESUME", SOON).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "awaited the event RESUME, but nothing of it came within 5 s"
    );
    assert_eq!(events.drain().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_command_stays_unanswered_when_who_asked_has_given_up_and_until_its_answer_comes() {
    let (ours, theirs) = tokio::io::duplex(4096);
    let mut theirs = BufReader::new(theirs);
    let connecting = tokio::spawn(Qmp::connect(ours, SOON));
    theirs.write_all(GREETING.as_bytes()).await.unwrap();
    hear(&mut theirs).await;
    theirs.write_all(READY.as_bytes()).await.unwrap();
    let qmp = connecting.await.unwrap().unwrap();
    assert_eq!(qmp.unanswered(), None, "all was answered");
    let asked = tokio::time::timeout(SOON / 5, status(&qmp)).await;
    assert!(asked.is_err(), "it was given up");
    let (command, silent) = qmp.unanswered().expect("no answer came");
    assert_eq!(command, "query-status");
    assert!(silent >= SOON / 5 && silent < SOON, "{silent:?}");
    theirs.write_all(STATUS.as_bytes()).await.unwrap();
    theirs.write_all(RESUME.as_bytes()).await.unwrap();
    let mut events = qmp.all_events();
    events.wait_for("RESUME", SOON).await.unwrap();
    assert_eq!(qmp.unanswered(), None, "it came late");
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_an_error_at_the_deadline_that_names_what_was_awaited() {
    let error = connect(&[], Then::Hold).await.unwrap_err();
    assert_eq!(error.awaited(), Some("QEMU's greeting"));
    let error = connect(&[GREETING], Then::Hold).await.unwrap_err();
    assert_eq!(error.awaited(), Some("the answer to `qmp_capabilities`"));
    let qmp = connect(&[GREETING, READY], Then::Hold).await.unwrap();
    let error = status(&qmp).await.unwrap_err();
    assert!(matches!(error, QemuError::TimedOut { .. }));
    assert_eq!(error.awaited(), Some("the answer to `query-status`"));
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_a_command_that_was_given_up_disturbs_nobody() {
    let late = "{\"return\": {}, \"id\": 3}";
    let qmp = connect(&[GREETING, READY, "", &[STATUS, late].concat()], Then::Hold)
        .await
        .unwrap();
    assert!(matches!(
        status(&qmp).await,
        Err(QemuError::TimedOut { .. })
    ));
    assert_eq!(status(&qmp).await.unwrap().unwrap(), json!({}));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_closes_is_told_at_once_and_what_it_said_before_counts() {
    let began = tokio::time::Instant::now();
    let error = connect(&[], Then::Close).await.unwrap_err();
    assert_eq!(ending(error), Ending::Closed);
    let error = connect(&[&GREETING[..20]], Then::Close).await.unwrap_err();
    assert!(matches!(ending(error), Ending::Truncated(_)));
    let last = [STATUS, STOP].concat();
    let qmp = connect(&[GREETING, READY, &last], Then::Close)
        .await
        .unwrap();
    assert_eq!(status(&qmp).await.unwrap().unwrap()["status"], "paused");
    qmp.all_events().wait_for("STOP", SOON).await.unwrap();
    assert_eq!(ending(status(&qmp).await.unwrap_err()), Ending::Closed);
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_asked_for_ends_the_connection() {
    let unknown = "{\"return\": {}, \"id\": 99}";
    let nobodys = "{\"error\": {\"class\": \"GenericError\", \"desc\": \"bad JSON\"}}";
    let twice = [STATUS, STATUS].concat();
    for (said, count) in [
        (unknown, 1),
        (nobodys, 1),
        (GREETING, 1),
        (READY, 1),
        (&twice, 2),
    ] {
        let qmp = connect(&[GREETING, READY, said], Then::Hold).await.unwrap();
        let mut last = Ok(Ok(json!({})));
        for _ in 0..count {
            last = status(&qmp).await;
        }
        assert!(
            matches!(ending(last.unwrap_err()), Ending::Unsolicited(_)),
            "{said}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn garbage_is_an_error_that_shows_it() {
    for said in ["hello\n", "{\"a\":}", "{\"QMP\": 7}", "[]", "\u{0}"] {
        let error = connect(&[said], Then::Hold).await.unwrap_err();
        assert!(matches!(ending(error), Ending::Malformed { .. }), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_events_ends_the_connection() {
    let flood = STOP.repeat(70_000);
    let qmp = connect(&[GREETING, READY, &flood], Then::Hold)
        .await
        .unwrap();
    assert!(matches!(
        ending(status(&qmp).await.unwrap_err()),
        Ending::Flood(_)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_message_without_end_is_bounded() {
    let (ours, mut theirs) = tokio::io::duplex(1 << 20);
    tokio::spawn(async move {
        let piece = vec![b'['; 100]
            .into_iter()
            .chain(vec![b' '; 1 << 20])
            .collect::<Vec<u8>>();
        theirs.write_all(b"{\"a\":").await?;
        theirs.write_all(&piece).await?;
        loop {
            theirs.write_all(&piece[100..]).await?;
        }
        #[expect(unreachable_code, reason = "it tells the block's type")]
        std::io::Result::Ok(())
    });
    let error = Qmp::connect(ours, Duration::from_secs(3600))
        .await
        .unwrap_err();
    assert_eq!(ending(error), Ending::TooLong(64 << 20));
}

#[tokio::test(start_paused = true)]
async fn without_the_capability_nothing_is_sent_out_of_band() {
    let plain = GREETING.replace("[\"oob\"]", "[]");
    let qmp = connect(&[&plain, READY], Then::Hold).await.unwrap();
    let error = qmp
        .execute_out_of_band("migrate-pause", json!({}), SOON)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("`migrate-pause`"));
}

#[tokio::test(start_paused = true)]
async fn events_outlive_their_connection() {
    let qmp = connect(&[GREETING, &[STOP, READY].concat()], Then::Hold)
        .await
        .unwrap();
    let mut events = qmp.all_events();
    drop(qmp);
    events.wait_for("STOP", SOON).await.unwrap();
    assert_eq!(
        ending(events.wait_for("STOP", SOON).await.unwrap_err()),
        Ending::Dropped
    );
}

/// A session, as far as it goes: all of it well, or an error that names what was awaited.
async fn session(pieces: Vec<Vec<u8>>, then: Then) -> Result<(), String> {
    let whole = async {
        let qmp = Qmp::connect(saying(pieces, then), SOON).await?;
        status(&qmp).await?.ok();
        qmp.all_events().wait_for("RESUME", SOON).await.map(drop)
    };
    match whole.await {
        Ok(()) => Ok(()),
        Err(QemuError::Refused { command, .. }) if command == "qmp_capabilities" => Ok(()),
        Err(error) => error.awaited().map(drop).ok_or_else(|| error.to_string()),
    }
}

fn pieces() -> [String; 3] {
    [
        GREETING.to_owned(),
        [STOP, READY].concat(),
        [RESUME, STATUS].concat(),
    ]
}

#[test]
fn a_session_that_is_cut_anywhere_ends_with_a_clear_error() {
    let pieces = pieces();
    let pieces = pieces.each_ref().map(String::as_str);
    for place in 0..=pieces.concat().len() {
        for then in [Then::Close, Then::Hold] {
            let cut = changed(&pieces, |bytes| bytes.truncate(place));
            with_a_jumping_clock(session(cut, then)).unwrap();
        }
    }
}

#[test]
fn a_session_with_any_byte_changed_ends_well_or_with_a_clear_error() {
    let pieces = pieces();
    let pieces = pieces.each_ref().map(String::as_str);
    for place in 0..pieces.concat().len() {
        for byte in *b"{}[]\",:\\09x\n\x00\xff" {
            let changed = changed(&pieces, |bytes| bytes[place] = byte);
            with_a_jumping_clock(session(changed, Then::Hold)).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_bytes_make_it_panic(pieces: Vec<Vec<u8>>) {
        prop_assert_eq!(with_a_jumping_clock(session(pieces, Then::Hold)), Ok(()));
    }

    #[test]
    fn no_bytes_within_a_session_make_it_panic(place in 0_usize..400, other: Vec<u8>) {
        let pieces = pieces();
        let changed = changed(&pieces.each_ref().map(String::as_str), |bytes| {
            let place = place.min(bytes.len());
            bytes.splice(place..place, other);
        });
        prop_assert_eq!(with_a_jumping_clock(session(changed, Then::Close)), Ok(()));
    }
}
