//! How places, moments, refusals and domains are told to people.

use migratrix_history::{DomainInfo, DomainState, Refusal, Side, When};
use migratrix_matrix::{ReleaseName, Version};

/// A refusal with its codes, for people.
pub(super) fn no(refusal: &Refusal) -> String {
    let Refusal {
        code,
        domain,
        message,
    } = refusal;
    format!("{message} (error code {code}, domain {domain})")
}

/// Whether QEMU refused for the thing that is named by `words`. Its sentences change from release to
/// release, and its quotes too; what they name stays, and so does the class of the error.
pub(super) fn is_refusal_of(refusal: &Refusal, words: &[&str]) -> bool {
    refusal.message.starts_with("GenericError") && names(&refusal.message, words)
}

/// Whether a text names all of this, in capital letters or small ones.
pub(super) fn names(text: &str, words: &[&str]) -> bool {
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word))
}

/// Words that must be named, for people.
pub(super) fn listed(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(" and ")
}

pub(super) const fn place(side: Side) -> &'static str {
    match side {
        Side::Source => "the source",
        Side::Destination => "the destination",
    }
}

pub(super) const fn moment(when: When) -> &'static str {
    match when {
        When::Before => "before the migration",
        When::During => "during the migration",
        When::After => "after the migration",
        When::Writing => "while the guest writes",
        When::Healed => "after what heals",
        When::Retried => "after the retry",
    }
}

/// A place with its release and versions, for people.
pub(super) fn told(
    side: Side,
    release: &ReleaseName,
    libvirt: Option<Version>,
    qemu: Option<Version>,
) -> String {
    let version =
        |name, of: Option<Version>| of.map_or(String::new(), |of| format!(", {name} {of}"));
    let (libvirt, qemu) = (version("libvirt", libvirt), version("QEMU", qemu));
    format!("{} ({release}{libvirt}{qemu})", place(side))
}

pub(super) fn seen(look: &DomainState) -> String {
    match look {
        DomainState::Present(domain) => format!("one: {}", whole(domain)),
        DomainState::Absent => "nothing of that name".to_owned(),
    }
}

pub(super) const fn kept(persistent: bool) -> &'static str {
    if persistent {
        "persistent"
    } else {
        "transient"
    }
}

/// Its state and reason, for people.
pub(super) fn state(domain: &DomainInfo) -> String {
    let activity = if domain.active { "active" } else { "inactive" };
    format!("{activity}, {} ({})", domain.state, domain.reason)
}

/// All that tells a wrong domain from the right one, for people.
pub(super) fn whole(domain: &DomainInfo) -> String {
    format!(
        "{}, {}, UUID {}",
        state(domain),
        kept(domain.persistent),
        domain.uuid
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain() -> DomainInfo {
        DomainInfo {
            uuid: "6d2a".to_owned(),
            active: true,
            persistent: false,
            state: "running".to_owned(),
            reason: "booted".to_owned(),
            identity: None,
        }
    }

    #[test]
    fn a_domain_is_told_with_all_that_tells_a_wrong_one_from_the_right_one() {
        let running = "active, running (booted), transient, UUID 6d2a";
        assert_eq!(whole(&domain()), running);
        let seen = [DomainState::Present(domain()), DomainState::Absent].map(|look| seen(&look));
        assert_eq!(
            seen,
            [format!("one: {running}"), "nothing of that name".to_owned()]
        );
        let left = DomainInfo {
            active: false,
            persistent: true,
            ..domain()
        };
        assert_eq!(
            whole(&left),
            "inactive, running (booted), persistent, UUID 6d2a"
        );
    }

    #[test]
    fn a_place_is_told_with_its_release_and_the_versions_that_are_known() {
        let release: ReleaseName = "trixie".parse().expect("a name");
        let of = |libvirt, qemu| told(Side::Destination, &release, libvirt, qemu);
        let version = Version::new(10, 0, 2);
        assert_eq!(of(None, None), "the destination (trixie)");
        let told = of(Some(version), Some(version));
        assert_eq!(
            told,
            "the destination (trixie, libvirt 10.0.2, QEMU 10.0.2)"
        );
    }

    #[test]
    fn a_moment_is_told_in_words() {
        let all = [When::Before, When::During, When::After, When::Writing].map(moment);
        let words = ["before the", "during the", "after the", "while the guest"];
        for (told, word) in all.iter().zip(words) {
            assert!(told.starts_with(word), "{told}");
        }
    }

    #[test]
    fn a_refusal_is_known_by_its_class_and_by_all_of_its_words() {
        let refusal = |message: &str| Refusal {
            code: 1,
            domain: 2,
            message: message.to_owned(),
        };
        let both = refusal("GenericError: Parameter 'TLS-Creds' is missing");
        assert!(is_refusal_of(&both, &["tls-creds", "parameter"]));
        assert!(!is_refusal_of(&both, &["tls-creds", "capability"]));
        let other = refusal("CommandNotFound: tls-creds");
        assert!(!is_refusal_of(&other, &["tls-creds"]));
        assert_eq!(no(&refusal("no")), "no (error code 1, domain 2)");
        assert_eq!(listed(&["a", "b"]), "`a` and `b`");
    }
}
