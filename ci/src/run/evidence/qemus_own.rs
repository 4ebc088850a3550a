//! QEMU's own part of a log of a side's QEMUs: their command lines, and what they wrote to their standard
//! error. Each QEMU is told after an empty line of its own, where a side had several.

use shlex::split;

/// What is the QEMUs' own.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Own {
    /// Their command lines, an argument a line.
    pub arguments: String,
    /// What they wrote to their standard error.
    pub stderr: String,
}

/// How the account of a QEMU without libvirt begins, and how its end is told.
const COMMAND: &str = "$ ";
const END: &str = "[its end";

/// How a line of a command ends that goes on.
const GOES_ON: &str = " \\";

/// The own part of the account that is kept of QEMUs without libvirt.
pub(super) fn of_account(text: &str) -> Own {
    let mut own = Own::default();
    for line in text.lines() {
        match line.strip_prefix(COMMAND) {
            Some(command) => own.add_command(command),
            None if line.starts_with(END) => {}
            None => own.add_words(line),
        }
    }
    own
}

/// The own part of libvirt's log of a domain: a command begins behind a line of libvirt's, and goes on for as
/// long as its lines say so.
pub(super) fn of_domain_log(text: &str) -> Own {
    let mut own = Own::default();
    let mut command = String::new();
    for line in text.lines() {
        match line.strip_suffix(GOES_ON) {
            Some(words) => command += &format!("{words} "),
            None if !command.is_empty() => {
                own.add_command(&(std::mem::take(&mut command) + line));
            }
            None if is_libvirts(line) => {}
            None => own.add_words(line),
        }
    }
    own
}

/// Whether libvirt has written the line: its times are in another form than QEMU's.
fn is_libvirts(line: &str) -> bool {
    super::moment(line.as_bytes()).is_some()
}

impl Own {
    fn add_command(&mut self, command: &str) {
        if !self.arguments.is_empty() {
            self.arguments.push('\n');
        }
        let words = split(command).unwrap_or_else(|| vec![command.to_owned()]);
        for word in words {
            self.arguments += &(word.replace('\n', "\\n") + "\n");
        }
    }

    fn add_words(&mut self, line: &str) {
        self.stderr += line;
        self.stderr.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_qemu_of_an_account_has_its_arguments_and_all_words_are_kept() {
        let account = "$ qemu -name 'a b' ''\nwarning: no peer\n[its end: we killed it]\n\
             $ qemu -S\n[its end was not seen]\n";
        let own = of_account(account);
        assert_eq!(own.arguments, "qemu\n-name\na b\n\n\nqemu\n-S\n");
        assert_eq!(own.stderr, "warning: no peer\n");
    }

    #[test]
    fn libvirts_own_lines_are_none_of_qemus() {
        let log = "2026-11-26 03:30:43.011+0000: starting up libvirt version: 9.0.0\n\
             LC_ALL=C \\\n/usr/bin/qemu-system-x86_64 \\\n-name guest=m,debug-threads=on \\\n\
             -object '{\"qom-type\":\"secret\"}' \\\n-msg timestamp=on\n\
             2026-11-26 03:30:43.011+0000: Domain id=13 is tainted: high-privileges\n\
             2026-11-26T03:30:48.626922Z qemu-system-x86_64: VQ 0 is too long\n\
             2026-11-26 03:30:48.828+0000: shutting down, reason=destroyed\n";
        let own = of_domain_log(log);
        assert_eq!(
            own.arguments,
            "LC_ALL=C\n/usr/bin/qemu-system-x86_64\n-name\nguest=m,debug-threads=on\n-object\n\
             {\"qom-type\":\"secret\"}\n-msg\ntimestamp=on\n"
        );
        assert_eq!(
            own.stderr,
            "2026-11-26T03:30:48.626922Z qemu-system-x86_64: VQ 0 is too long\n"
        );
    }
}
