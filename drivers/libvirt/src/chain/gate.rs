//! What a chain of backups needs of both hosts.

use migratrix_history::Side;

use crate::{Error, LibvirtDriver};

impl LibvirtDriver<'_> {
    /// What the case needs and a host has not got; `None` where nothing is known to be missing.
    ///
    /// A chain of backups needs more than every host has: hosts that share a folder with us, and
    /// say that they make incremental backups (`<backup>` in the domain capabilities). A host that
    /// can't be asked is the case's own to tell of. So does a migration that is struck on its way.
    pub async fn lacks(&mut self) -> Option<String> {
        if let Some(lack) = self.lacks_to_be_struck().await {
            return Some(lack);
        }
        self.journey()?;
        for side in [Side::Source, Side::Destination] {
            let host = self.host(side).release().to_string();
            if self.host(side).path("/").is_none() {
                return Some(format!(
                    "storage that {host} shares with us: it is a machine of its own"
                ));
            }
            if let Ok(false) = self.backs_up(side).await {
                return Some(format!("incremental backup by the libvirt of {host}"));
            }
        }
        None
    }

    async fn backs_up(&mut self, side: Side) -> Result<bool, Error> {
        let machine = self.subject.machine.clone();
        backs_up(&self.capabilities(side, machine).await?)
    }
}

fn backs_up(capabilities: &str) -> Result<bool, Error> {
    let xml = roxmltree::Document::parse(capabilities)?;
    let mut nodes = xml.descendants();
    let backup = nodes.find(|node| node.has_tag_name("backup"));
    Ok(backup.and_then(|node| node.attribute("supported")) == Some("yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_backs_up_where_it_says_so_and_nowhere_else() {
        let of = |backup: &str| {
            let xml =
                format!("<domainCapabilities><features>{backup}</features></domainCapabilities>");
            backs_up(&xml).unwrap()
        };
        assert!(of("<backup supported='yes'/>"));
        assert!(!of("<backup supported='no'/>"));
        assert!(!of("<genid supported='yes'/>"));
        assert!(backs_up("nonsense").is_err());
    }
}
