//! What a child of the runner can do with the caller's terminal: `terminal outer` prints one line for
//! each thing, `terminal wait` waits for an interrupt, `terminal stubborn` goes on after one, `terminal deaf`
//! listens for none, and `terminal over` runs another that waits. The tests read them on a pseudo-terminal.

use std::{
    env,
    error::Error,
    fs::File,
    io::{IsTerminal, Read, stderr, stdin},
    process::{Command, ExitCode},
};

use migratrix_lab::{
    dispatch,
    sandbox::{self, Entered, Terminal},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<ExitCode> {
    if let Some(code) = dispatch() {
        return Ok(code);
    }
    let word = env::args().nth(1).unwrap_or_default();
    match word.as_str() {
        "child" => return look(),
        "over" => {
            let mut waits = Command::new(env::current_exe()?);
            let (ended, asked) = sandbox::pass_stops_to(waits.arg("wait"))?;
            println!("it ended with {ended}, asked: {asked}");
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    match sandbox::enter(Terminal::Outer) {
        Ok(Entered::Inside) => {}
        Ok(Entered::Left(code)) => return Ok(ExitCode::from(code)),
        Err(error) => return Err(error.to_string().into()),
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match word.as_str() {
        "deaf" => {
            println!("waiting");
            runtime.block_on(std::future::pending::<()>());
        }
        "wait" | "stubborn" => {
            let mut stop = {
                let _within = runtime.enter();
                sandbox::Stop::listen()?
            };
            println!("waiting");
            runtime.block_on(stop.asked());
            println!("asked to stop");
            if word == "stubborn" {
                runtime.block_on(std::future::pending::<()>());
            }
            return Ok(ExitCode::from(7));
        }
        _ => {}
    }
    // As a careless program starts another: it says nothing of its standard input.
    let status = Command::new(env::current_exe()?).arg("child").status()?;
    println!("child: {status}");
    Ok(ExitCode::SUCCESS)
}

fn look() -> Result<ExitCode> {
    println!("input is a terminal: {}", stdin().is_terminal());
    println!("errors go to a terminal: {}", stderr().is_terminal());
    println!("read: {} bytes", stdin().read(&mut [0; 16])?);
    println!(
        "the terminal can be opened: {}",
        File::open("/dev/tty").is_ok()
    );
    // What qemu-io does at its start; from the background it would be stopped here.
    let set = Command::new("stty").arg("-echo").status()?;
    println!("settings changed: {}", set.success());
    Ok(ExitCode::SUCCESS)
}
