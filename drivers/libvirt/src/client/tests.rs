//! Clients that are shell scripts.

use std::ffi::OsString;

use super::*;

fn client(script: &str) -> Client {
    let command = ["sh", "-c", script].map(OsString::from);
    Client::start(&Program::new(command.to_vec())).unwrap()
}

async fn asked(script: &str) -> String {
    let told = client(script).ask(Op::Version).await;
    told.unwrap_err().to_string()
}

#[tokio::test]
async fn an_answer_goes_to_the_one_who_asked() {
    let client = client(
        r#"read a; read b
        echo '{"id":2,"ok":{"version":2}}'; echo '{"id":1,"ok":{"version":1}}'; read c"#,
    );
    let both = tokio::join!(client.ask(Op::Version), client.ask(Op::Version));
    assert_eq!(both.0.unwrap(), Said::Version(1));
    assert_eq!(both.1.unwrap(), Said::Version(2));
}

#[tokio::test]
async fn the_answer_to_a_question_that_was_dropped_is_dropped() {
    let client = client(
        r#"read a; read b
        echo '{"id":1,"ok":{"version":1}}'; echo '{"id":2,"ok":{"version":2}}'; read c"#,
    );
    let dropped = timeout(Duration::from_millis(1), client.ask(Op::Version)).await;
    assert!(dropped.is_err());
    assert_eq!(client.ask(Op::Version).await.unwrap(), Said::Version(2));
}

#[tokio::test]
async fn events_come_in_their_order_until_the_end() {
    let client = client(
        r#"echo '{"event":{"uri":"u","domain":"a","iteration":1}}'
        echo '{"event":{"uri":"u","domain":"b","lifecycle":["resumed","migrated"]}}'"#,
    );
    for domain in ["a", "b"] {
        assert_eq!(client.event().await.unwrap().1.domain, domain);
    }
    assert!(client.event().await.is_none());
}

#[tokio::test]
async fn the_end_of_a_client_is_told_with_its_status_and_its_last_words() {
    let why = asked("read a; echo 'virt: boom' >&2; exit 3").await;
    assert!(why.contains("closed its output"), "{why}");
    assert!(
        why.contains("exit status: 3") && why.contains("virt: boom"),
        "{why}"
    );
}

#[tokio::test]
async fn a_line_that_makes_no_sense_ends_the_client() {
    let why = asked("echo Segmentation fault; read a; exec sleep 60").await;
    assert!(
        why.contains("makes no sense: `Segmentation fault`"),
        "{why}"
    );
}

#[tokio::test]
async fn a_line_without_end_ends_the_client() {
    let why = asked("exec cat /dev/zero").await;
    assert!(why.contains("a line of more than 16777216 bytes"), "{why}");
}

#[tokio::test]
async fn a_client_that_was_killed_answers_no_more() {
    let client = client("exec sleep 60");
    client.kill().await;
    assert!(client.is_gone());
    let why = client.ask(Op::Version).await.unwrap_err().to_string();
    assert!(why.contains("was killed (signal: 9"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn silence_has_an_end() {
    let client = client("exec sleep 60");
    let why = client.ask(Op::Version).await.unwrap_err().to_string();
    assert_eq!(why, "the client did not answer `version` within 60 s");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let program = Program::new(vec!["/no/such/client".into()]);
    let error = Client::start(&program).err().unwrap();
    assert!(error.to_string().contains("`/no/such/client`"), "{error}");
}

/// Takes a fifth of a second of processor time, and then says so.
const BUSY: &str = r#"while set -- $(cat /proc/$$/stat) && [ $(( ${14} + ${15} )) -lt 20 ]; do
        i=0; while [ $i -lt 10000 ]; do i=$((i + 1)); done; done
    echo '{"event":{"uri":"u","domain":"a","iteration":1}}'; read a"#;

#[tokio::test]
async fn the_time_of_a_client_counts_while_it_lives_and_when_it_is_gone() {
    let least = Duration::from_millis(190);
    // Others may run beside this: the count only grows.
    for gone in [true, false] {
        let before = crate::clients_time();
        let busy = client(BUSY);
        busy.event().await;
        assert!(crate::clients_time() - before >= least, "it lives");
        if gone {
            busy.kill().await;
        }
        drop(busy);
        tokio::task::yield_now().await;
        assert!(
            crate::clients_time() - before >= least,
            "it is gone: {gone}"
        );
    }
}
