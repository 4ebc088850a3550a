//! A word to QEMU past libvirt: one line of the qtest protocol.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    time::timeout,
};

use crate::Error;

/// How long QEMU may take to obey.
const PATIENCE: Duration = Duration::from_secs(5);

/// Writes `bytes` into guest-physical memory at `address`, through the qtest socket at `path`.
///
/// The protocol is lines: `write ADDRESS SIZE DATA`, answered by `OK` or `FAIL`
/// (`softmmu/qtest.c` of QEMU's sources).
///
/// # Errors
/// Returns an error if nobody listens there, or it does not say `OK`.
pub async fn write(path: PathBuf, address: u32, bytes: &[u8]) -> Result<(), Error> {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let line = format!("write {address:#x} {:#x} 0x{digits}\n", bytes.len());
    let why = match timeout(PATIENCE, tell(&path, &line)).await {
        Ok(Ok(answer)) if answer.starts_with("OK") => return Ok(()),
        Ok(Ok(answer)) => format!("it said `{}`", answer.trim_end()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
    };
    Err(Error::Qtest { path, why })
}

async fn tell(path: &Path, line: &str) -> io::Result<String> {
    let mut stream = BufReader::new(UnixStream::connect(path).await?);
    stream.write_all(line.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_line(&mut answer).await?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixListener;

    use super::*;

    async fn told(answer: &'static str) -> (Result<(), Error>, String) {
        let folder = std::env::temp_dir().join(format!("qtest-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{}.sock", answer.trim()));
        let _gone = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        let qemu = async {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let mut heard = String::new();
            stream.read_line(&mut heard).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            heard
        };
        let both = tokio::join!(write(path.clone(), 0x10_0004, &[0xfa, 0x05]), qemu);
        std::fs::remove_file(&path).unwrap();
        both
    }

    #[tokio::test]
    async fn bytes_go_as_one_line_of_hexadecimal_digits() {
        let (done, heard) = told("OK\n").await;
        done.unwrap();
        assert_eq!(heard, "write 0x100004 0x2 0xfa05\n");
    }

    #[tokio::test]
    async fn a_refusal_is_told_in_qemus_words() {
        let (done, _) = told("FAIL Unknown command\n").await;
        assert!(
            done.unwrap_err()
                .to_string()
                .contains("FAIL Unknown command")
        );
    }
}
