//! What was typed: the command line as `clap` reads it. What it means is worked out in the commands.

mod not_text;
mod number;

use std::{
    env,
    ffi::OsString,
    io::{IsTerminal, stderr, stdout},
    path::PathBuf,
};

use clap::{
    ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint, builder::StyledStr,
    error::ErrorKind,
};
use clap_complete::{ArgValueCandidates, Shell};
use itertools::Itertools;
use migratrix_lab::recipes;
use migratrix_matrix::{Backend, Case, Profile, Suite, axes};
use migratrix_reports::printable;

use self::number::number;
use crate::{
    code, completion,
    explain::AccountFormat,
    formats::{FormatArgs, JunitArgs},
    say,
    schema::Written,
    words::{profiles, words},
};

/// Which live migrations between which versions of libvirt and QEMU work, which do not, and why.
#[derive(Debug, Parser)]
#[command(name = "migratrix", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// Settings: deadlines, hosts that are real machines. Default: ./migratrix.toml if it is there
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Tell on the standard error what is done; -vv tells of each command as well. A run's migratrix.log
    /// has all of it, asked for or not
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  all as expected (a known failure that is listed with its reason is as expected)
  1  a case failed           3  something is unknown
  2  wrong use               4  nothing was selected
  5  the lab or a tool failed, the disk is full, or another migratrix is at work in the run's directory
     or with the release
  130  stopped by a signal before anything had begun, or at once by a second one

Examples:
  migratrix doctor
  migratrix releases build bookworm trixie
  migratrix run --source bookworm --destination trixie
  migratrix run --boundary bookworm,trixie -E 'control(p2p) & !state(paused)'";

/// What a command line asks for.
#[derive(Debug)]
pub enum Asked {
    /// This.
    For(Box<Cli>),
    /// Nothing, by a person at a terminal: what to do next is told.
    Nothing,
}

/// Reads the command line.
///
/// # Errors
/// Gives the code to exit with, where there is nothing to carry out: what there is to say was said.
pub fn read() -> Result<Asked, u8> {
    if env::args_os().len() == 1 && stdout().is_terminal() {
        return Ok(Asked::Nothing);
    }
    let cli = Cli::try_parse().map(|cli| Asked::For(Box::new(cli)));
    cli.map_err(|error| {
        let text = error.render();
        if error.kind() == ErrorKind::InvalidUtf8 {
            let all: Vec<_> = env::args_os().collect();
            eprintln!("error: {}", not_text::told(&Cli::command(), &all));
        } else if error.use_stderr() {
            eprint!("{}", shown(&text, &stderr()));
        } else {
            print!("{}", shown(&text, &stdout()));
        }
        u8::try_from(error.exit_code()).unwrap_or(code::WRONG_USE)
    })
}

/// The text as it is written there.
fn shown(text: &StyledStr, to: &impl IsTerminal) -> String {
    // What was typed is given back in it, and may hold colours, or worse, of its own.
    let is_plain = |typed: OsString| typed.to_str() == Some(&printable(&typed.to_string_lossy()));
    if say::is_coloured(to) && env::args_os().all(is_plain) {
        text.ansi().to_string()
    } else {
        printable(&text.to_string())
    }
}

/// One command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what this machine can do, and the command that mends what is missing
    Doctor,
    /// List the known releases with the versions that they hold; add, build or remove one
    Releases {
        /// What to do with them; without it, they are listed
        #[command(subcommand)]
        action: Option<ReleaseAction>,
    },
    /// List the cases that a selection names
    #[command(after_help = LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        selection: SelectionArgs,
        /// Print only how many there are
        #[arg(long)]
        count: bool,
        /// How to print them
        #[arg(long, value_enum, default_value_t = ListFormat::Names)]
        format: ListFormat,
    },
    /// Run the cases that a selection names, judge them and write the reports
    #[command(after_help = RUN_EXAMPLES)]
    Run(Box<RunArgs>),
    /// Judge a finished run's histories again
    Judge {
        /// The run's directory
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
        #[command(flatten)]
        known: KnownArgs,
        #[command(flatten)]
        junit: JunitArgs,
    },
    /// Say how a run ended, or several that are the shards of one, and write the reports that are asked for
    Report {
        /// The runs' directories
        #[arg(required = true, value_hint = ValueHint::DirPath)]
        dirs: Vec<PathBuf>,
        #[command(flatten)]
        known: KnownArgs,
        #[command(flatten)]
        outputs: OutputArgs,
    },
    /// Say what broke between two runs, or between several of each, and what was mended
    #[command(after_help = COMPARE_NOTES)]
    Compare(CompareArgs),
    /// Print a script that shows what came of a case without this program, for a report to QEMU or libvirt
    #[command(after_help = REPRODUCE_EXAMPLES)]
    Reproduce {
        /// The case
        #[arg(value_hint = ValueHint::Other)]
        case: Case,
        /// The directory of a run that has a history of it; a case of libvirt needs none
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        run: Option<PathBuf>,
    },
    /// Tell the smallest combinations of values that account for what failed
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Tell which jumps between releases are safe, and the shortest ladder of safe steps where one is not
    #[command(after_help = JUMP_EXAMPLES)]
    Jump(JumpArgs),
    /// Print the JSON schema of what a run writes, for programs that read it
    Schema {
        /// Of what
        #[arg(value_enum)]
        of: Written,
    },
    /// Bring hosts up to look inside
    Lab {
        /// What to do with them
        #[command(subcommand)]
        action: LabAction,
    },
    /// Print what a shell completes this command line by
    #[command(after_help = COMPLETIONS_EXAMPLE)]
    Completions {
        /// For which shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Write the manual pages, one for each command
    #[command(after_help = "Example:\n  migratrix man man1 && man man1/migratrix-run.1")]
    Man {
        /// The directory to write them into; it is made where it is not there
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
}

const COMPARE_NOTES: &str = "\
A case is matched by its name, in which releases stand and versions don't. One list of known failures is
for both sides: that which NEW was begun with, where none is given.

Exit codes:
  0  nothing broke         1  a case broke
  2  wrong use             3  what was seen before can't be seen any more

Examples:
  migratrix compare runs/monday runs/tuesday
  migratrix compare runs/monday runs/tuesday --markdown \"$GITHUB_STEP_SUMMARY\"
  migratrix compare monday/shard-* --to tuesday/shard-* --json comparison.json";

const COMPLETIONS_EXAMPLE: &str = "\
The script asks the program, which must be found by its name: it offers the releases that are built as
they are then. Take it anew where the program is another version.

Example:
  echo 'source <(migratrix completions bash)' >> ~/.bashrc";

const LIST_EXAMPLES: &str = "\
Examples:
  migratrix list --suite tck --count
  migratrix list --suite qemu --source bookworm --destination trixie -E 'tls(psk,x509)'
  migratrix list --boundary bookworm,trixie -E 'source(<9.1) & flag(undefine)'
  migratrix list --client trixie --source bookworm --destination trixie,sid --format json";

const RUN_EXAMPLES: &str = "\
Examples:
  migratrix run --source bookworm --destination trixie
  migratrix run --boundary bookworm,trixie --jobs 4 --out upgrade
  migratrix run --resume upgrade
  migratrix run --last-failed -E 'control(p2p)'
  migratrix run --boundary bookworm,trixie --shard auto --fail-fast
  migratrix run --suite faults --source bookworm --destination trixie
  migratrix run --suite qemu --source bookworm,trixie --destination bookworm,trixie
  migratrix run --suite qemu --qemu mine=build --source trixie,mine --destination trixie,mine
  migratrix run --case tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/none";

const REPRODUCE_EXAMPLES: &str = "\
The script takes sh, and python3 or virsh. It ends in 0 where the migration does as it should, in 1 where the
failure shows, and in 2 where it could not be tried. Its first lines say how it is called.

Exit codes:
  0  the script is printed    2  wrong use, or no script can show the case
  3  the script is printed, and the case's history is cut: it is incomplete

Examples:
  migratrix reproduce tck/libvirt/trixie,trixie,sid/p2p/persistent-running-undefined/live > show.sh
  migratrix reproduce qemu/qemu/trixie,sid/precopy/unix/running/virtio-rng --run runs/devices > show.sh
  SRC_QEMU=/old/qemu DST_QEMU=/new/qemu sh show.sh";

const EXPLAIN_EXAMPLES: &str = "\
Known failures count as passed, unless --fail-known is given or the run was begun with it.

Exit codes, as of report:
  0  all as expected       1  a case failed, whatever accounts for it
  2  wrong use             3  something is unknown

Examples:
  migratrix explain runs/20260101-120000
  migratrix explain runs/20260101-120000 --fail-known
  migratrix explain runs/20260101-120000 --confirm 20
  migratrix explain shard-1 shard-2 --format json";

const JUMP_EXAMPLES: &str = "\
Known failures count as failures: who asks whether guests survive is not helped by their
being known.

Exit codes:
  0  all jumps are safe    1  one is not, or only where something is avoided
  2  wrong use             3  one is unclear, or was asked for and not tried, or no QEMU ran
With --from and --to it is that jump alone, and not the one back; with --ladder it is
those that stand for the steps of the shortest way.

Examples:
  migratrix jump runs/20260101-120000
  migratrix jump runs/20260101-120000 --from trixie --to sid
  migratrix jump runs/20260101-120000 --ladder nova --from 2023.2 --to 2026.1
  migratrix jump shard-1 shard-2 --format json";

const ADD_NOTES: &str = "\
A directory stays where it is, and is only read. A tarball is extracted into the cache: at most 16 GiB
and 1,000,000 entries; setuid and setgid bits and device files are left out. What comes out of either
runs in namespaces only, without a network and with nothing of this machine's files.";

/// What to do with releases.
#[derive(Debug, Subcommand)]
pub enum ReleaseAction {
    /// List them, as without a word
    List,
    /// Build the root file systems of known recipes
    Build {
        #[arg(required = true, help = recipes_help(), value_hint = ValueHint::Other)]
        names: Vec<String>,
        /// Let a package index pass that is beyond its validity date
        #[arg(long)]
        allow_expired: bool,
        /// The package mirror to build from
        #[arg(long, env = "MIGRATRIX_MIRROR", value_name = "URL", value_hint = ValueHint::Url)]
        mirror: Option<String>,
        /// Build again even if the release is already there
        #[arg(long)]
        again: bool,
    },
    /// Add a root file system of your own: a directory, or a tarball
    #[command(after_help = ADD_NOTES)]
    Add {
        /// What to call it
        #[arg(value_hint = ValueHint::Other)]
        name: String,
        /// The directory or tarball
        root: PathBuf,
    },
    /// Remove releases
    Rm {
        /// Their names
        #[arg(required = true, value_hint = ValueHint::Other)]
        names: Vec<String>,
    },
}

/// Which releases can be built.
fn recipes_help() -> String {
    format!(
        "The recipes: {}",
        recipes().map(|recipe| recipe.name).join(", ")
    )
}

/// What to do with the lab.
#[derive(Debug, Subcommand)]
pub enum LabAction {
    /// Bring hosts up and hold them until Ctrl-C or `lab down`
    #[command(after_help = UP_EXAMPLES)]
    Up {
        /// What to call the lab; several may be up, each under its name
        #[arg(long, value_name = "NAME", default_value = DEFAULT_LAB, value_hint = ValueHint::Other)]
        name: String,
        /// The releases; each gets a source and a destination host
        #[arg(required = true, value_hint = ValueHint::Other)]
        releases: Vec<String>,
    },
    /// Bring down the lab that `lab up` holds
    Down {
        /// Its name
        #[arg(default_value = DEFAULT_LAB, value_hint = ValueHint::Other)]
        name: String,
    },
    /// Run a command on a host: of a lab that is up, or where none is, of one brought up for it
    #[command(after_help = "Example:\n  migratrix lab exec bookworm-s -- virsh list --all")]
    Exec {
        /// The lab: its name, or the directory of a run that is under way. Default: the lab default, else another
        /// lab, else a run, where one alone has such a host
        #[arg(long, value_name = "NAME", value_hint = ValueHint::DirPath)]
        lab: Option<String>,
        /// The host: RELEASE-s or RELEASE-d
        #[arg(value_hint = ValueHint::Other)]
        host: String,
        /// The command
        #[arg(last = true, required = true, value_hint = ValueHint::CommandName)]
        command: Vec<String>,
    },
    /// Print how a tool of your own reaches the hosts of a lab that is up
    #[command(after_help = ENV_EXAMPLES)]
    Env {
        /// The lab's name
        #[arg(long, value_name = "NAME", default_value = DEFAULT_LAB, value_hint = ValueHint::Other)]
        lab: String,
    },
    /// Write the guest's boot image, for a real machine
    Image {
        /// Where to
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
}

/// What a lab is called that is given no name.
pub const DEFAULT_LAB: &str = "default";

const UP_EXAMPLES: &str = "\
Examples:
  migratrix lab up bookworm trixie
  migratrix lab up --name other sid &
  migratrix lab down other";

const ENV_EXAMPLES: &str = r#"What is printed is for a shell to evaluate: LAB_ENTER is the command that enters the lab's network,
and nothing else of it; LAB_SOURCE_URI and LAB_DESTINATION_URI are a source host of the first release
and a destination host of the last; LAB_URI_... is each host. See also docs/lab.md.

Example:
  eval "$(migratrix lab env)"
  $LAB_ENTER virsh -c $LAB_SOURCE_URI list --all
  $LAB_ENTER virsh -c $LAB_SOURCE_URI migrate --live GUEST $LAB_DESTINATION_URI"#;

/// How `list` prints.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ListFormat {
    /// A name a line
    Names,
    /// An array of objects: the name of each case, how it must end (`outcome`, with the class of a
    /// failure or refusal), the conditions that it is judged by, and what must be seen
    Json,
}

/// Which cases.
#[derive(Debug, Args)]
pub struct SelectionArgs {
    /// The set of axes. Default: that of the profile, and without one tck
    #[arg(long, value_parser = words::<Suite>())]
    pub suite: Option<Suite>,
    /// How much of the suite. Default: the first of its profiles that the back end runs
    #[arg(long, value_parser = profiles())]
    pub profile: Option<Profile>,
    /// What runs the cases. Default: the first of these that runs the profile
    #[arg(long, value_parser = words::<Backend>())]
    pub backend: Option<Backend>,
    /// Whose client library calls. Default: those of the sources
    #[arg(long, value_name = "RELEASE", value_delimiter = ',', value_hint = ValueHint::Other,
        add = ArgValueCandidates::new(completion::releases))]
    pub client: Vec<String>,
    /// Where guests come from. Default: bookworm
    #[arg(long, value_name = "RELEASE", value_delimiter = ',', value_hint = ValueHint::Other,
        add = ArgValueCandidates::new(completion::releases))]
    pub source: Vec<String>,
    /// Where guests go to. Default: trixie where neither --source nor --client is given, else where
    /// they come from
    #[arg(long, value_name = "RELEASE", value_delimiter = ',', value_hint = ValueHint::Other,
        add = ArgValueCandidates::new(completion::releases))]
    pub destination: Vec<String>,
    /// A QEMU of your own as a release, for cases without libvirt: a program, or the folder that it
    /// was built in; may be given several times
    #[arg(long = "qemu", value_name = "NAME=PATH", value_hint = ValueHint::Other)]
    pub qemus: Vec<String>,
    /// The 8 tuples of client, source and destination on both sides of an upgrade
    #[arg(
        long,
        value_name = "OLD,NEW",
        value_hint = ValueHint::Other,
        conflicts_with_all = ["client", "source", "destination"]
    )]
    pub boundary: Option<String>,
    /// Only cases of which the expression is true, as 'control(p2p) & !state(paused)'; --help tells more
    #[arg(short = 'E', long = "expression", value_name = "EXPRESSION",
        value_hint = ValueHint::Other, long_help = expression_help())]
    pub expression: Option<String>,
    /// This case, by its name; may be given several times
    #[arg(long = "case", value_name = "NAME", value_hint = ValueHint::Other)]
    pub names: Vec<String>,
    /// Enough cases that all combinations of any T values occur, and at least one of each
    /// source with each destination, instead of all; axes that are named are covered more strongly,
    /// as 2,client+source+destination:3
    #[arg(long, value_name = "T[,AXIS+AXIS:T]", value_hint = ValueHint::Other, allow_negative_numbers = true)]
    pub cover: Option<String>,
    /// A case that the cover has to have; may be given several times
    #[arg(long, value_name = "CASE", value_hint = ValueHint::Other, requires = "cover")]
    pub with: Vec<String>,
    /// What the cover's random choices begin with: another number may give fewer cases. Default: 0
    #[arg(long, value_name = "N", value_hint = ValueHint::Other, requires = "cover",
        value_parser = number::<u64>(0..=u64::MAX))]
    pub cover_seed: Option<u64>,
    /// One part of the whole: 2/4, hash:2/4 (by name, the default), slice:2/4 (by place); auto,
    /// hash:auto or slice:auto for the part that the environment of GitLab CI, GitHub Actions,
    /// Jenkins, a Kubernetes Indexed Job or a Slurm job array names (see docs/ci.md)
    #[arg(long, value_name = "I/N", value_hint = ValueHint::Other)]
    pub shard: Option<String>,
}

/// What expressions are, in short: the parser names what it knows wherever a word is wrong.
fn expression_help() -> String {
    EXPRESSION_HELP.replace("AXES", &columns(axes().map(|axis| axis.predicate).unique()))
}

/// The words with commas between them, in lines that are no longer than the others.
fn columns<'w>(words: impl Iterator<Item = &'w str>) -> String {
    const WIDTH: usize = 72;
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() + 2 <= WIDTH => *line += &format!(" {word},"),
            Some(_) | None => lines.push(format!("    {word},")),
        }
    }
    let all = lines.join("\n");
    all.trim_end_matches(',').to_owned()
}

const EXPRESSION_HELP: &str = "\
Only cases of which the expression is true. It is made of predicates, words with values in
parentheses: of several with commas, any will do. They are joined by `!`, `&`, `|` and
parentheses, or by not, and, or.

  words of case names, as state(paused) or devices(virtio-*):
AXES
  flags: exactly this set, as flags(live+persist); fault(none)
  client, source, destination: a release, a glob or a version,
    as source(trixie), source(book*), source(<9.1), source(qemu>=10)
  forward(), same(), backward(): the destination is newer, equal, older
  name: a glob for the whole name, as name(*/p2p/*)

A word that is wrong is answered with all that are known: -E 'x()', -E 'tls(x)'.

Examples:
  -E 'control(p2p) & !state(paused)'
  -E 'source(<9.1) & flag(undefine) | hardware(two-*)'
  -E 'forward() & (tls(psk,x509) | devices(virtio-*))'";

/// What says which cases a new run has, and where: a run that goes on has its own.
const OF_A_NEW_RUN: [&str; 14] = [
    "suite",
    "profile",
    "backend",
    "client",
    "source",
    "destination",
    "boundary",
    "expression",
    "names",
    "cover",
    "with",
    "cover_seed",
    "shard",
    "out",
];

/// What says where cases come from, where an earlier run does: it may be narrowed by -E, and shared out.
const OF_AN_EARLIER_RUN: [&str; 9] = [
    "resume",
    "suite",
    "profile",
    "backend",
    "client",
    "source",
    "destination",
    "boundary",
    "names",
];

/// Everything of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// The cases that were not as expected in the run of this directory, without it in the newest
    /// run below runs/; -E takes some of them. They run with the --config, --known and --qemu of
    /// that run, but for those that are given anew
    #[arg(long, value_name = "DIR", num_args = 0..=1, value_hint = ValueHint::DirPath,
        conflicts_with_all = OF_AN_EARLIER_RUN)]
    #[expect(clippy::option_option, reason = "it may be given without a directory")]
    pub last_failed: Option<Option<PathBuf>>,
    /// Begin no case after the first that fails the run; those at work run to their end. What was not
    /// run has no verdict, and --resume goes on with it
    #[arg(long)]
    pub fail_fast: bool,
    /// The run's directory. Default: runs/DATE-TIME
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// How many cases run side by side: 1 to 512. Default: four for each processor
    #[arg(long, value_name = "N", value_hint = ValueHint::Other,
        value_parser = number::<u16>(1..=512))]
    pub jobs: Option<u16>,
    /// Run all cases on hosts that are set up as hosts are. Without it, most cases whose domain says
    /// nothing of its processors run on hosts where libvirt doesn't ask each QEMU about them
    /// (`capability_filters`), which is three times as fast; the first of each tuple and control
    /// method is a control
    #[arg(long)]
    pub as_shipped: bool,
    /// Run no case on hosts that are set up as hosts are only as a control: a case that ran where libvirt
    /// doesn't ask each QEMU about processors runs there by itself as well
    #[arg(long, conflicts_with = "as_shipped")]
    pub without_controls: bool,
    /// How often a case that is not as expected is run again, alone on its hosts: 0 (the default) to
    /// 1000. Whatever is given, a case of which something could not be seen, or whose host was lost, is
    /// run once more, alone, where it was not alone before
    #[arg(long, value_name = "N", value_hint = ValueHint::Other,
        value_parser = number::<u32>(0..=1000))]
    pub retries: Option<u32>,
    /// Go on with the run of this directory: with its cases, and with the options that it was begun
    /// with, but for those that are given anew. These replace the old ones for good: --known FILE is
    /// the list of the whole run from then on, and what was judged before is marked by it as well
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with_all = OF_A_NEW_RUN)]
    pub resume: Option<PathBuf>,
    #[command(flatten)]
    pub known: KnownArgs,
    #[command(flatten)]
    pub junit: JunitArgs,
}

/// The lists of failures that are known.
#[derive(Debug, Default, Args)]
pub struct ListArgs {
    /// A list of known failures beside the one that comes with the program; may be given several times.
    /// Default: those that the run was begun with
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub known: Vec<PathBuf>,
    /// The lists of --known alone, without the one that comes with the program
    #[arg(long)]
    pub only_known: bool,
}

/// The failures that are known.
#[derive(Debug, Default, Args)]
pub struct KnownArgs {
    #[command(flatten)]
    pub lists: ListArgs,
    /// Write an entry for each group of failures that are not known into the last list of --known, which
    /// is made where it is not there; what stands in it stays as it is. Say in each what is wrong, and
    /// whose it is
    #[arg(long)]
    pub bless: bool,
    /// Known failures fail: for who asks whether guests survive an upgrade, and not whether a build is
    /// worse than the one before. They exit 1, and are failures in JUnit
    #[arg(long)]
    pub fail_known: bool,
    /// What a first attempt showed to be wrong is told and fails nothing, where a later attempt is as
    /// expected; so are hosts that died. Without it, they exit 1
    #[arg(long)]
    pub allow_flaky: bool,
}

/// Everything of `compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// OLD and NEW: the directories of two runs. With --to, these are all of OLD
    #[arg(required = true, value_name = "DIRS", value_hint = ValueHint::DirPath)]
    pub dirs: Vec<PathBuf>,
    /// All of NEW: runs, shards of runs or both. What came of a case in one of several is what came of
    /// it in all, or else it is flaky
    #[arg(long, value_name = "DIR", num_args = 1.., value_hint = ValueHint::DirPath)]
    pub to: Vec<PathBuf>,
    #[command(flatten)]
    pub known: ListArgs,
    /// Write it in Markdown to this file, for a merge request or the summary of a job
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub markdown: Option<PathBuf>,
    /// Write it as a page to this file, with links to the pages of the runs
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub html: Option<PathBuf>,
    /// Write it as JSON to this file: see migratrix schema comparison
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub json: Option<PathBuf>,
}

/// Everything of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The runs' directories; several are explained together
    #[arg(required = true, value_hint = ValueHint::DirPath)]
    pub dirs: Vec<PathBuf>,
    #[command(flatten)]
    pub lists: ListArgs,
    /// Known failures are explained as well
    #[arg(long)]
    pub fail_known: bool,
    /// Run at most N cases more, those that tell most of what is not sure yet, each lot into a
    /// directory beside that of the first run: DIR-confirm-1 and so on. What lies there already counts
    /// as well, and no case runs again where another one would tell
    #[arg(long, value_name = "N", default_value_t = 0, value_hint = ValueHint::Other,
        value_parser = number::<u16>(0..=1000))]
    pub confirm: u16,
    /// How to print it
    #[arg(long, value_enum, default_value_t = AccountFormat::Text)]
    pub format: AccountFormat,
}

/// Everything of `jump`.
#[derive(Debug, Args)]
pub struct JumpArgs {
    /// The runs' directories; several count together, each with its own pairs of releases
    #[arg(required = true, value_hint = ValueHint::DirPath)]
    pub dirs: Vec<PathBuf>,
    /// Only jumps from this release
    #[arg(long, value_name = "RELEASE", value_hint = ValueHint::Other)]
    pub from: Option<String>,
    /// Only jumps to this release; with --from, that jump and the one back
    #[arg(long, value_name = "RELEASE", value_hint = ValueHint::Other)]
    pub to: Option<String>,
    /// Tell of an upgrade of what runs on top instead: its steps, and the jumps that stand for them.
    /// --from and --to name its releases. nova comes with the program; else a file (see docs/jump.md)
    #[arg(long, value_name = "NAME|FILE", value_hint = ValueHint::FilePath)]
    pub ladder: Option<String>,
    #[command(flatten)]
    pub lists: ListArgs,
    /// How to print it
    #[arg(long, value_enum, default_value_t = JumpFormat::Text)]
    pub format: JumpFormat,
}

/// How `jump` prints.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum JumpFormat {
    /// For a person
    Text,
    /// For a program: see `migratrix schema jumps`
    Json,
}

/// Which reports are written.
#[derive(Debug, Args)]
pub struct OutputArgs {
    #[command(flatten)]
    pub files: FormatArgs,
    #[command(flatten)]
    pub how: JunitArgs,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_to_any_command_names_the_program_as_it_was_called() {
        let all = Cli::command();
        let names = all.get_subcommands().map(clap::Command::get_name);
        assert_eq!(names.collect::<Vec<_>>(), say::COMMANDS);
    }

    /// All commands, with those within them.
    fn all(command: &clap::Command) -> Vec<&clap::Command> {
        let within = command.get_subcommands().flat_map(all);
        std::iter::once(command).chain(within).collect()
    }

    #[test]
    fn a_shell_offers_folders_for_a_run_and_no_files_for_a_name() {
        let mut cli = Cli::command();
        cli.build();
        let commands = all(&cli).into_iter().filter(|one| one.get_name() != "help");
        for argument in commands.flat_map(clap::Command::get_arguments) {
            let words = argument.get_possible_values();
            if !argument.get_action().takes_values() || !words.is_empty() {
                continue;
            }
            let (id, hint) = (argument.get_id(), argument.get_value_hint());
            assert_ne!(hint, ValueHint::Unknown, "{id}: all files would be offered");
            let name = argument.get_value_names().and_then(<[_]>::first);
            let is_folder = name.is_some_and(|name| ["DIR", "DIRS"].contains(&name.as_str()));
            assert_eq!(is_folder, hint == ValueHint::DirPath && id != "lab", "{id}");
        }
    }

    #[test]
    fn everything_that_selects_is_refused_beside_a_run_that_goes_on() {
        let selecting = SelectionArgs::augment_args(clap::Command::new("selection"));
        let mut ids: Vec<_> = selecting
            .get_arguments()
            .map(|one| one.get_id().as_str())
            // Where a QEMU is found is no question of which cases there are.
            .filter(|id| *id != "qemus")
            .collect();
        ids.push("out");
        assert_eq!(ids, OF_A_NEW_RUN);
    }
}
