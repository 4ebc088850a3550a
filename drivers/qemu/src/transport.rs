//! What carries the stream from one side to the other.

pub(crate) mod address;
pub(crate) mod credentials;
mod laid;
mod stream;

use std::{
    fs::{File, OpenOptions},
    os::{
        fd::{AsFd, OwnedFd},
        unix::{fs::OpenOptionsExt, net::UnixStream},
    },
    path::{Path, PathBuf},
};

use migratrix_contract::Recorder;
use migratrix_history::Side;
use migratrix_matrix::{Address, Feature, Incident, Transport};
use migratrix_qmp::QemuError;
use nix::fcntl::OFlag;
use serde_json::{Value, json};

use crate::{
    QemuDriver,
    error::StepError,
    party::{EVERY, Party},
};
use address::Place;
pub(crate) use laid::Laid;

/// The way of the stream, as far as it has been laid.
#[derive(Debug, Default)]
pub(crate) struct Route {
    /// How many times the destination has been told to listen.
    turn: u32,
    /// The port at which it listens.
    port: u16,
    /// The source's end of a socket pair.
    end: Option<OwnedFd>,
    /// Whether the migration has been cancelled together with the command.
    pub(crate) is_cancelled: bool,
    /// What passes the stream on, where it can be cut or is looked at; the last one laid comes last.
    pub(crate) laid: Vec<Laid>,
    /// The start of a QEMU that answers only later.
    pub(crate) launch: Option<migratrix_qmp::Starting>,
}

/// Where the stream starts in a file, from an offset on.
pub(crate) const OFFSET: u64 = 0x1000;

/// What stands in the file before that.
const BEFORE: u8 = b'm';

const STREAM: &str = "stream";
/// The stream's file until it is whole.
const PART: &str = "stream.part";
const NAME: &str = "migration";

impl Route {
    /// Lets go of everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl QemuDriver {
    /// Has the destination listen, or read.
    pub(crate) async fn listen(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        self.become_destination(record).await?;
        self.turn();
        if self.route.launch.is_some() {
            // It is told when it answers.
            return Ok(());
        }
        self.listen_here(record).await
    }

    /// Has the destination listen, or read, at the addresses of this turn.
    pub(crate) async fn listen_here(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        self.destination.begin();
        let place = self.way_in(record).await?;
        let form = match self.subject.raw.address {
            Address::Channels => Address::Channels,
            Address::Uri | Address::Both | Address::Neither => Address::Uri,
        };
        let mut arguments = place.arguments(form);
        let abilities = &self.destination.host.abilities;
        if abilities.command_takes("migrate-incoming", "exit-on-error") {
            arguments.insert("exit-on-error".to_owned(), json!(false));
        }
        let command = "migrate-incoming";
        self.destination.trail.begin();
        self.destination
            .command(command, Value::Object(arguments), record)
            .await?;
        if place == Place::Tcp(0) {
            self.route.port = self.chosen_port().await?;
        }
        Ok(())
    }

    /// Asks the source to migrate.
    pub(crate) async fn migrate(&mut self, record: &mut Recorder) -> Result<(), StepError> {
        self.source.begin();
        let place = self.way_out(record).await?;
        let mut arguments = place.arguments(self.subject.raw.address);
        if let Some(channel) = self.handing_over() {
            let main = place.channel();
            arguments.clear();
            arguments.insert("channels".to_owned(), json!([main, channel]));
        }
        self.source.trail.begin();
        let arguments = Value::Object(arguments);
        if self.subject.raw.incident == Incident::CancelSetup {
            return self.migrate_and_cancel(arguments, record).await;
        }
        self.source.command("migrate", arguments, record).await?;
        self.take_over(record).await
    }

    /// The port that the destination's QEMU has chosen.
    async fn chosen_port(&mut self) -> Result<u16, StepError> {
        let progress = self.destination.progress().await?;
        let port = progress.socket_address.first();
        let port = port.and_then(|address| address.port.as_ref()?.parse().ok());
        port.ok_or(StepError::Malformed {
            command: "query-migrate",
            what: "nothing of the port at which it listens".to_owned(),
        })
    }

    /// Lays the destination's end of the way.
    async fn way_in(&mut self, record: &mut Recorder) -> Result<Place, StepError> {
        Ok(match self.subject.raw.transport {
            Transport::Unix => Place::Unix(self.socket()),
            Transport::Tcp => Place::Tcp(0),
            Transport::Fd => {
                let (ours, theirs) =
                    UnixStream::pair().map_err(StepError::system("make a socket pair"))?;
                hand_over(&mut self.destination, theirs.into(), record).await?;
                self.route.end = Some(ours.into());
                Place::Descriptor(NAME)
            }
            Transport::FdFile => {
                let file = self.open(OpenOptions::new().read(true))?;
                hand_over(&mut self.destination, file.into(), record).await?;
                Place::Descriptor(NAME)
            }
            Transport::File => self.file(0),
            Transport::FileOffset => self.file(OFFSET),
            Transport::FileFdset => {
                self.hand_over_set(Side::Destination, record).await?;
                Place::File {
                    path: SET_PATH.to_owned(),
                    offset: OFFSET,
                }
            }
            Transport::Exec => {
                self.await_stream().await;
                Place::Command(format!("cat {}", self.scratch.text(STREAM)))
            }
        })
    }

    /// Lays the source's end of the way.
    async fn way_out(&mut self, record: &mut Recorder) -> Result<Place, StepError> {
        let is_bad = self.subject.raw.incident == Incident::BadOffset;
        Ok(match self.subject.raw.transport {
            _ if is_bad => Place::BadFile(self.scratch.text(STREAM)),
            Transport::Unix => Place::Unix(self.socket()),
            Transport::Tcp => Place::Tcp(self.route.port),
            Transport::Fd => {
                let end = match self.route.end.take() {
                    Some(end) => end,
                    // Nobody listens: the other end is closed.
                    None => UnixStream::pair()
                        .map_err(StepError::system("make a socket pair"))?
                        .0
                        .into(),
                };
                hand_over(&mut self.source, end, record).await?;
                Place::Descriptor(NAME)
            }
            Transport::FdFile => {
                let file = self.open(OpenOptions::new().write(true).create(true).truncate(true))?;
                hand_over(&mut self.source, file.into(), record).await?;
                Place::Descriptor(NAME)
            }
            Transport::File => self.file(0),
            Transport::FileOffset => {
                self.scratch.write(STREAM, &[BEFORE; OFFSET as usize])?;
                self.file(OFFSET)
            }
            Transport::FileFdset => {
                self.scratch.write(STREAM, &[BEFORE; OFFSET as usize])?;
                self.hand_over_set(Side::Source, record).await?;
                Place::File {
                    path: SET_PATH.to_owned(),
                    offset: OFFSET,
                }
            }
            Transport::Exec => {
                let path = self.scratch.text(STREAM);
                let part = self.scratch.text(PART);
                // The command ends after the migration: the file is there when it is whole.
                Place::Command(format!("cat > {part} && mv {part} {path}"))
            }
        })
    }

    /// The socket of this turn: another one for each.
    pub(crate) fn socket(&self) -> String {
        self.scratch.text(&format!("socket-{}", self.route.turn))
    }

    /// Begins a new turn: its addresses are other ones.
    pub(crate) const fn turn(&mut self) {
        self.route.turn += 1;
    }

    /// The file that the stream lies in.
    pub(crate) fn stream(&self) -> PathBuf {
        self.scratch.path(STREAM)
    }

    fn file(&self, offset: u64) -> Place {
        let path = self.scratch.text(STREAM);
        Place::File { path, offset }
    }

    fn open(&self, how: &OpenOptions) -> Result<File, StepError> {
        let path = self.stream();
        Ok(how.open(&path).map_err(QemuError::file("open", path))?)
    }

    /// Hands over a set of descriptors of the stream's file: with and without direct I/O.
    async fn hand_over_set(&mut self, side: Side, record: &mut Recorder) -> Result<(), StepError> {
        let is_direct = self.subject.raw.features.has(Feature::DirectIo);
        let direct = is_direct.then(|| OFlag::O_DIRECT.bits());
        for flags in std::iter::once(0).chain(direct) {
            let mut how = OpenOptions::new();
            how.custom_flags(flags);
            match side {
                Side::Source => how.write(true),
                Side::Destination => how.read(true),
            };
            let file = self.open(&how)?;
            let party = self.party(side);
            party.qemu()?.hand_over(file.as_fd())?;
            let set = json!({ "fdset-id": SET });
            party.command("add-fd", set, record).await?;
        }
        Ok(())
    }

    /// Waits until the stream's file is there.
    pub(crate) async fn await_stream(&self) {
        await_file(&self.stream()).await;
    }
}

/// Waits until there is a file at `path`.
pub(crate) async fn await_file(path: &Path) {
    let mut tick = tokio::time::interval(EVERY);
    while !path.exists() {
        tick.tick().await;
    }
}

const SET: u32 = 1;
const SET_PATH: &str = "/dev/fdset/1";

/// Hands a descriptor over under the usual name.
async fn hand_over(
    party: &mut Party,
    file: OwnedFd,
    record: &mut Recorder,
) -> Result<(), StepError> {
    party.qemu()?.hand_over(file.as_fd())?;
    let name = json!({ "fdname": NAME });
    party.command("getfd", name, record).await?;
    Ok(())
}
