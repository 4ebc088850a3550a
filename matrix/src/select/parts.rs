//! Whether several plans are the shards of one run, and which of its shards are missing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use thiserror::Error;

use crate::{Plan, Release, RunOptions, Selection, Shard};

/// The shards of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Those of which there is no plan.
    pub missing: Vec<Shard>,
    /// How many cases all of them have together, as far as the plans say.
    pub whole: usize,
}

/// Why plans are not the shards of one run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotOneRun {
    /// They differ in something that all shards share.
    #[error(
        "{one} and {other} are not shards of one run: {what} is {here} in the first and {there} in \
         the second; report each by itself"
    )]
    Differ {
        /// One of them.
        one: String,
        /// The other.
        other: String,
        /// In what they differ.
        what: String,
        /// What it is in the one.
        here: String,
        /// What it is in the other.
        there: String,
    },
    /// Two are of the same shard: one is a copy of the other, or it was run twice.
    #[error(
        "{one} and {other} are both the shard {shard}, whose cases would count twice: give one of them"
    )]
    SameShard {
        /// One of them.
        one: String,
        /// The other.
        other: String,
        /// Which shard they are.
        shard: Shard,
    },
    /// One of several is no shard.
    #[error("{0} is no shard: it was run without --shard, and is whole; report it by itself")]
    Whole(String),
}

impl Parts {
    /// The shards that `plans` are, each with what it is called; a plan alone may be whole.
    ///
    /// # Errors
    /// Returns in what they differ.
    pub fn of(plans: &[(&str, &Plan)]) -> Result<Self, NotOneRun> {
        let [first, others @ ..] = plans else {
            return Ok(Self {
                missing: Vec::new(),
                whole: 0,
            });
        };
        for other in others {
            for (name, plan) in [first, other] {
                if plan.selection.shard.is_none() {
                    return Err(NotOneRun::Whole((*name).to_owned()));
                }
            }
            alike(*first, *other)?;
        }
        each_once(plans)?;
        let there: BTreeSet<_> = plans
            .iter()
            .filter_map(|(_, plan)| Some(plan.selection.shard?.index))
            .collect();
        let planned = plans.iter().map(|(_, plan)| plan.cases.len()).sum();
        Ok(Self {
            missing: (first.1.selection.shard)
                .map(|shard| shard.lacking(&there))
                .unwrap_or_default(),
            whole: first.1.whole.unwrap_or(planned),
        })
    }
}

/// The shards that are not there: of each selection that is there in parts.
#[must_use]
pub fn missing_shards<'s>(selections: impl IntoIterator<Item = &'s Selection>) -> Vec<Shard> {
    let mut wholes: Vec<(Selection, BTreeSet<u32>)> = Vec::new();
    for part in selections {
        let Some(shard) = part.shard else {
            continue;
        };
        // The same for all shards of one whole.
        let selection = Selection {
            shard: Some(Shard { index: 1, ..shard }),
            ..part.clone()
        };
        match wholes.iter_mut().find(|(whole, _)| *whole == selection) {
            Some((_, there)) => {
                there.insert(shard.index);
            }
            None => wholes.push((selection, [shard.index].into())),
        }
    }
    let lacking = wholes.into_iter().flat_map(|(selection, there)| {
        let shard = selection.shard.into_iter();
        shard.flat_map(move |shard| shard.lacking(&there))
    });
    lacking.collect()
}

/// That no shard is there twice.
fn each_once(plans: &[(&str, &Plan)]) -> Result<(), NotOneRun> {
    let mut seen = BTreeMap::new();
    for (name, plan) in plans {
        let Some(shard) = plan.selection.shard else {
            continue;
        };
        if let Some(one) = seen.insert(shard.index, name) {
            return Err(NotOneRun::SameShard {
                one: (*one).to_string(),
                other: (*name).to_owned(),
                shard,
            });
        }
    }
    Ok(())
}

/// That two plans say the same, but for the shard's number and what follows from it.
fn alike(one: (&str, &Plan), other: (&str, &Plan)) -> Result<(), NotOneRun> {
    let differ = |what: &str, here: String, there: String| {
        Err(NotOneRun::Differ {
            one: one.0.to_owned(),
            other: other.0.to_owned(),
            what: what.to_owned(),
            here,
            there,
        })
    };
    let pairs = told(one.1).into_iter().zip(told(other.1));
    for ((what, here), (_, there)) in pairs {
        let both = !here.is_empty() && !there.is_empty();
        // A list may lie elsewhere on another machine: its mark tells it.
        let mark = |text: &str| text.split(' ').next().map(str::to_owned);
        let same = what == KNOWN && mark(&here) == mark(&there);
        if both && here != there && !same {
            return differ(&what, here, there);
        }
    }
    for release in &one.1.releases {
        let mut same = other.1.releases.iter();
        let Some(same) = same.find(|other| other.name == release.name) else {
            continue;
        };
        for ((what, here), (_, there)) in versions(release).into_iter().zip(versions(same)) {
            let both = !here.is_empty() && !there.is_empty();
            if both && here != there {
                return differ(&format!("the {what} of {}", release.name), here, there);
            }
        }
    }
    Ok(())
}

/// What the list of known failures is called here.
const KNOWN: &str = "the list of known failures";

/// What all shards share, each with its name; empty where a plan does not say.
fn told(plan: &Plan) -> Vec<(String, String)> {
    let selection = serde_json::to_value(&plan.selection).unwrap_or_default();
    let fields = selection.as_object().into_iter().flatten();
    let fields = fields.filter(|(name, _)| *name != "shard");
    let mut all: Vec<_> = fields
        .map(|(name, value)| (name.clone(), text(value)))
        .collect();
    let shard = plan
        .selection
        .shard
        .map(|shard| Shard { index: 1, ..shard });
    let parts = shard.map_or(String::new(), |shard| {
        shard.to_string().replacen("1/", "", 1)
    });
    all.push(("the number of shards".to_owned(), parts));
    let whole = plan.whole.map_or(String::new(), |whole| whole.to_string());
    all.push(("the number of cases of all shards".to_owned(), whole));
    let known = plan.known.clone().map_or(String::new(), |mark| {
        let lists = &plan.options.known;
        let own = (!lists.only).then_some("the one that comes with the program");
        let files = own
            .into_iter()
            .chain(lists.files.iter().map(String::as_str));
        format!("{mark} ({})", files.collect::<Vec<_>>().join(", "))
    });
    all.push((KNOWN.to_owned(), known));
    all.extend(rules(&plan.options));
    all
}

/// The options by which another verdict comes out, or the same one means something else.
fn rules(options: &RunOptions) -> [(String, String); 4] {
    let given = |is: bool| if is { "given" } else { "not given" }.to_owned();
    [
        ("--retries", options.retries.unwrap_or(0).to_string()),
        ("--as-shipped", given(options.as_shipped)),
        ("--fail-known", given(options.fail_known)),
        ("--allow-flaky", given(options.allow_flaky)),
    ]
    .map(|(option, value)| (option.to_owned(), value))
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "not given".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(all) if all.is_empty() => "not given".to_owned(),
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join(","),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// What a release is, each with its name; empty where that is not known.
fn versions(release: &Release) -> [(&'static str, String); 4] {
    let version =
        |version: Option<crate::Version>| version.map_or(String::new(), |one| one.to_string());
    let packages = release.packages.iter();
    let packages: Vec<_> = packages
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    [
        ("libvirt", version(release.libvirt)),
        ("QEMU", version(release.qemu)),
        ("packages", packages.join(", ")),
        ("machine types", release.machines.join(", ")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Profile, ReleaseName, Releases, Selection};

    fn release(name: &str, qemu: &str) -> Release {
        Release {
            qemu: qemu.parse().ok(),
            ..Release::unknown(ReleaseName::new(name).expect("a name"))
        }
    }

    fn plan(shard: &str, change: impl FnOnce(&mut Selection)) -> Plan {
        let known = vec![release("bookworm", "7.2.22"), release("trixie", "10.0.13")];
        let known = Releases::new(known).expect("each once");
        let mut selection = Selection {
            profile: Some(Profile::TCK),
            shard: shard.parse().ok(),
            ..Selection::default()
        };
        change(&mut selection);
        Plan::new(selection, &known).expect("there are cases")
    }

    fn parts(plans: &[&Plan]) -> Result<Parts, NotOneRun> {
        let names = ["a", "b", "c"];
        let named: Vec<_> = names.into_iter().zip(plans.iter().copied()).collect();
        Parts::of(&named)
    }

    fn same(_: &mut Selection) {}

    #[test]
    fn missing_shards_are_named() {
        let [one, two, three] = ["1/3", "2/3", "3/3"].map(|shard| plan(shard, same));
        let both = parts(&[&one, &three]).expect("they are of one run");
        assert_eq!(both.missing, ["2/3".parse().expect("a shard")]);
        assert_eq!(both.whole, 96 * 8);
        assert_eq!(parts(&[&two, &one, &three]).expect("one run").missing, []);
        assert_eq!(parts(&[&plan("", same)]).expect("whole").missing, []);
    }

    #[track_caller]
    fn differ(other: &Plan, words: [&str; 3]) {
        let error = parts(&[&plan("1/3", same), other]).expect_err("they differ");
        let told = error.to_string();
        for word in words {
            assert!(told.contains(word), "{told}");
        }
    }

    #[test]
    fn shards_of_different_runs_are_refused_by_what_differs() {
        let fake = plan("2/3", |one| one.backend = crate::Backend::Fake);
        differ(&fake, ["backend", "libvirt", "fake"]);
        differ(&plan("2/4", same), ["number of shards", "3", "4"]);
        differ(
            &plan("slice:2/3", same),
            ["number of shards", "hash", "slice"],
        );
        let filtered = plan("2/3", |one| one.filter = "control(p2p)".parse().ok());
        differ(&filtered, ["filter", "not given", "control(p2p)"]);
        let mut newer = plan("2/3", same);
        newer.releases[1] = release("trixie", "10.0.14");
        differ(&newer, ["QEMU of trixie", "10.0.13", "10.0.14"]);
        let mut packaged = plan("2/3", same);
        let package = ("qemu".to_owned(), "1:10.0.13+ds-2".to_owned());
        packaged.releases[0].packages = [package.clone()].into();
        assert!(
            parts(&[&plan("1/3", same), &packaged]).is_ok(),
            "an older plan does not say"
        );
        let mut known = plan("2/3", same);
        known.known = Some("b".to_owned());
        let first_list = |shard| Plan {
            known: Some("a".to_owned()),
            ..plan(shard, same)
        };
        let first = first_list("1/3");
        let told = parts(&[&first, &known])
            .expect_err("they differ")
            .to_string();
        let first = "list of known failures is a (the one that comes with the program) in";
        assert!(told.contains(first), "{told}");
        let (mut here, mut there) = (first_list("1/3"), first_list("2/3"));
        here.options.known.files = vec!["/here/known.toml".to_owned()];
        there.options.known.files = vec!["/there/known.toml".to_owned()];
        assert!(parts(&[&here, &there]).is_ok(), "it is the same list");
    }

    #[test]
    fn shards_that_were_run_by_other_rules_are_refused_by_the_option() {
        let with = |change: fn(&mut RunOptions)| {
            let mut plan = plan("2/3", same);
            change(&mut plan.options);
            plan
        };
        differ(
            &with(|one| one.retries = Some(2)),
            ["--retries", "is 0 in", "2 in the second"],
        );
        differ(
            &with(|one| one.as_shipped = true),
            ["--as-shipped", "not given", "given"],
        );
        differ(
            &with(|one| one.allow_flaky = true),
            ["--allow-flaky", "not given", "given"],
        );
        differ(
            &with(|one| one.fail_known = true),
            ["--fail-known", "not given", "given"],
        );
        let none = with(|one| one.retries = Some(0));
        assert!(
            parts(&[&plan("1/3", same), &none]).is_ok(),
            "it is the default"
        );
        let quicker = with(|one| one.jobs = Some(8));
        assert!(
            parts(&[&plan("1/3", same), &quicker]).is_ok(),
            "it judges nothing"
        );
    }

    #[test]
    fn a_shard_that_is_there_twice_is_refused_by_both_names() {
        let [one, two] = ["1/3", "2/3"].map(|shard| plan(shard, same));
        let told = parts(&[&one, &two, &two]).expect_err("it would count twice");
        let told = told.to_string();
        assert!(
            told.starts_with("b and c are both the shard hash:2/3,"),
            "{told}"
        );
    }

    #[test]
    fn two_whole_runs_are_no_shards() {
        let whole = plan("", same);
        let error = parts(&[&whole, &whole]).expect_err("they are whole");
        assert_eq!(error, NotOneRun::Whole("a".to_owned()));
    }
}
