//! Clients that are copies of one process.

use migratrix_client::wire::{Op, Said};
use migratrix_history::Side;
use migratrix_libvirt::{Client, Program, clients_time};

fn program() -> Program {
    Program::copied(vec![env!("CARGO_BIN_EXE_migratrix-client").into()])
}

/// Opens the host of libvirt's own `test` driver.
async fn open(client: &Client) -> bool {
    let (side, uri) = (Side::Source, "test:///default".to_owned());
    let opened = client.ask(Op::Open { side, uri }).await;
    matches!(opened, Ok(Said::Host(_)))
}

/// What started the process, and its words.
fn parent_and_words(pid: u32) -> (u32, String) {
    let told = |file| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    let status = told("status");
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    (parent.unwrap().trim().parse().unwrap(), told("cmdline"))
}

#[tokio::test]
async fn each_copy_is_a_child_of_the_runner_and_speaks_for_itself() {
    let program = program();
    let clients = [0; 3].map(|_| Client::start(&program).unwrap());
    for client in &clients {
        assert!(open(client).await);
        let (parent, words) = parent_and_words(client.pid());
        assert_eq!(parent, std::process::id());
        assert!(words.contains("migratrix-client\0original"), "{words}");
    }
    let [one, two, three] = clients;
    two.kill().await;
    let why = two.ask(Op::Version).await.unwrap_err().to_string();
    assert!(why.contains("was killed (signal: 9"), "{why}");
    assert!(open(&one).await && open(&three).await);
}

#[tokio::test]
async fn copies_go_on_when_the_program_is_let_go_and_end_with_their_input() {
    let program = program();
    let client = Client::start(&program).unwrap();
    drop(program);
    assert!(open(&client).await);
    let folder = format!("/proc/{}", client.pid());
    drop(client);
    let gone = async {
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(5));
        while std::fs::exists(&folder).unwrap() {
            tick.tick().await;
        }
    };
    let patience = std::time::Duration::from_secs(10);
    tokio::time::timeout(patience, gone).await.unwrap();
}

#[tokio::test]
async fn the_time_of_copies_counts_and_that_of_the_original() {
    let before = clients_time();
    let program = program();
    let client = Client::start(&program).unwrap();
    // Work of the host, which is this process: some hundredths of a second.
    while clients_time() == before {
        assert!(open(&client).await);
    }
}
