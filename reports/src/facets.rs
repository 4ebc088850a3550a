//! What sets some cases of a run apart from the others, in the words of the filter language.
//!
//! Only cases that were tried are counted: of one that was skipped nobody knows what would have come.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use migratrix_matrix::{Axis as _, Case, Control};

use crate::{Judgement, Run, Standing};

/// The facets of all cases of a run that were tried, as numbers: a run may have very many cases.
pub(crate) struct Facets {
    axes: Vec<Axis>,
    /// Of each case a number an axis; 0 where the case has no such axis.
    rows: HashMap<Case, Box<[u16]>>,
}

/// One axis: the texts of its values.
#[derive(Default)]
struct Axis {
    /// The value of number `n` at place `n - 1`, as the filter that is true of it.
    texts: Vec<String>,
    numbers: HashMap<String, u16>,
    /// The numbers that occur, 0 among them where a case has no such axis.
    there: BTreeSet<u16>,
}

/// What sets cases apart.
#[derive(Clone)]
pub(crate) struct Apart {
    /// The filter; empty if nothing does.
    pub filter: String,
    /// How many of the cases that were tried it is true of.
    pub having: usize,
}

/// That a case has one of some values of an axis.
struct Predicate {
    axis: usize,
    values: BTreeSet<u16>,
    text: String,
}

/// How many values a predicate may name: more of them are a list, and no explanation.
const TERMS: usize = 3;
/// How many where they set the cases apart exactly, and nothing shorter does.
const LISTED: usize = 12;

impl Facets {
    pub(crate) fn of(run: &Run) -> Self {
        let mut facets = Self {
            axes: Vec::new(),
            rows: HashMap::new(),
        };
        let mut places = HashMap::new();
        let tried = run
            .judgements()
            .filter(|one| one.standing() != Standing::Skipped);
        for judgement in tried {
            let row = facets.row(&judgement.case, &mut places);
            facets.rows.insert(judgement.case.clone(), row);
        }
        let wide = facets.axes.len();
        for row in facets.rows.values_mut().filter(|row| row.len() < wide) {
            let mut longer = row.to_vec();
            longer.resize(wide, 0);
            *row = longer.into();
        }
        for row in facets.rows.values() {
            for (axis, number) in facets.axes.iter_mut().zip(row) {
                axis.there.insert(*number);
            }
        }
        facets
    }

    fn row(&mut self, case: &Case, places: &mut HashMap<String, usize>) -> Box<[u16]> {
        let mut row = vec![0; self.axes.len()];
        for one in case.facets() {
            let place = *places.entry(one.axis).or_insert(self.axes.len());
            if place == self.axes.len() {
                self.axes.push(Axis::default());
                row.push(0);
            }
            row[place] = self.axes[place].number(one.text);
        }
        row.into()
    }

    /// What sets `cases` apart: first the facets that all of them share, then, where that leaves
    /// others, the families of values that shut out most of these.
    pub(crate) fn apart(&self, cases: &[&Judgement]) -> Apart {
        self.apart_by(cases, TERMS)
    }

    /// What sets `cases` apart exactly, by a list of values where it must be one.
    pub(crate) fn listed(&self, cases: &[&Judgement]) -> Option<Apart> {
        let apart = self.apart_by(cases, LISTED);
        let short = apart.filter.matches(',').count() < LISTED;
        (short && apart.having == cases.len()).then_some(apart)
    }

    fn apart_by(&self, cases: &[&Judgement], terms: usize) -> Apart {
        let own: Vec<_> = cases
            .iter()
            .filter_map(|one| self.rows.get(&one.case).map(AsRef::as_ref))
            .collect();
        let candidates = self.candidates(&own, terms);
        let (single, several): (Vec<_>, Vec<_>) = candidates
            .into_iter()
            .partition(|one| one.values.len() == 1);
        let mut left: Vec<&[u16]> = self.rows.values().map(AsRef::as_ref).collect();
        let mut chosen = Vec::new();
        choose(single, &mut left, &mut chosen, |_, _| true);
        let most = |before: usize, after: usize| (after - own.len()) * 2 <= before - own.len();
        choose(several, &mut left, &mut chosen, most);
        self.prune(&mut chosen, left.len());
        chosen.sort_by_key(|one| one.axis);
        let texts: Vec<_> = chosen.iter().map(|one| one.text.as_str()).collect();
        Apart {
            filter: texts.join(" & "),
            having: left.len(),
        }
    }

    fn candidates(&self, own: &[&[u16]], terms: usize) -> Vec<Predicate> {
        let of = |(place, axis): (usize, &Axis)| {
            let values: BTreeSet<_> = own.iter().map(|row| row[place]).collect();
            let text = axis.text(&values, terms)?;
            Some(Predicate {
                axis: place,
                values,
                text,
            })
        };
        self.axes.iter().enumerate().filter_map(of).collect()
    }

    /// Takes away what the rest says already.
    fn prune(&self, chosen: &mut Vec<Predicate>, having: usize) {
        for place in (0..chosen.len()).rev() {
            let one = chosen.remove(place);
            let has = |row: &[u16]| chosen.iter().all(|other| other.holds(row));
            if self.rows.values().filter(|row| has(row)).count() != having {
                chosen.insert(place, one);
            }
        }
    }
}

/// Chooses the candidates that shut out most, one after the other, as long as one shuts out anything
/// and `is_worth` it, by how many there were before and are after it.
fn choose(
    mut candidates: Vec<Predicate>,
    left: &mut Vec<&[u16]>,
    chosen: &mut Vec<Predicate>,
    is_worth: impl Fn(usize, usize) -> bool,
) {
    loop {
        let having = |one: &Predicate| left.iter().filter(|row| one.holds(row)).count();
        let counted = candidates.iter().map(having).enumerate();
        // Where the way of asking says no more than what was migrated, that is named.
        let rank =
            |(place, count): &(usize, usize)| (*count, candidates[*place].is_of(Control::NAME));
        let Some((place, after)) = counted.min_by_key(rank) else {
            return;
        };
        if after == left.len() || !is_worth(left.len(), after) {
            return;
        }
        let best = candidates.remove(place);
        left.retain(|row| best.holds(row));
        chosen.push(best);
    }
}

impl Predicate {
    fn holds(&self, row: &[u16]) -> bool {
        self.values.contains(&row[self.axis])
    }

    /// Whether it is one of the values of this axis.
    fn is_of(&self, axis: &str) -> bool {
        let bare = self.text.trim_start_matches('!');
        bare.strip_prefix(axis)
            .is_some_and(|rest| rest.starts_with('('))
    }
}

impl Axis {
    fn number(&mut self, text: String) -> u16 {
        let next = u16::try_from(self.texts.len() + 1).unwrap_or(u16::MAX);
        let texts = &mut self.texts;
        *self.numbers.entry(text).or_insert_with_key(|text| {
            texts.push(text.clone());
            next
        })
    }

    /// The filter that is true of the cases with one of these values, of all that occur; `None`
    /// where it says nothing, or would have to list more than `most`.
    fn text(&self, values: &BTreeSet<u16>, most: usize) -> Option<String> {
        if values.contains(&0) || values.is_superset(&self.there) {
            return None;
        }
        if let (Some(only), 1) = (values.first(), values.len()) {
            return self.texts.get(usize::from(*only) - 1).cloned();
        }
        let others: BTreeSet<_> = self.there.difference(values).copied().collect();
        let these = self.terms(values)?;
        let rest = self.terms(&others);
        let rest = rest.filter(|rest| !others.contains(&0) && rest.but.is_empty());
        let head = self.head();
        match rest {
            Some(rest) if rest.count() < these.count() && rest.count() <= most => {
                Some(format!("!{head}({})", rest.any.join(",")))
            }
            Some(_) | None if these.count() > most => None,
            Some(_) | None if these.but.is_empty() => {
                Some(format!("{head}({})", these.any.join(",")))
            }
            Some(_) | None => {
                let (any, but) = (these.any.join(","), these.but.join(","));
                Some(format!("{head}({any}) & !{head}({but})"))
            }
        }
    }

    fn head(&self) -> &str {
        let first = self.texts.first().map_or("", String::as_str);
        first.split('(').next().unwrap_or("")
    }

    /// The values in words; `None` where the axis is a switch.
    fn terms(&self, values: &BTreeSet<u16>) -> Option<Terms> {
        let mut families: BTreeMap<&str, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
        for number in self.there.iter().filter(|number| **number > 0) {
            let text = &self.texts[usize::from(*number) - 1];
            let value = text.strip_suffix(')')?.split_once('(')?.1;
            if text.starts_with('!') {
                return None;
            }
            let family = value.find('-').map_or(value, |end| &value[..=end]);
            let (members, others) = families.entry(family).or_default();
            if values.contains(number) {
                members.push(value);
            } else {
                others.push(value);
            }
        }
        let mut terms = Terms::default();
        for (family, (members, others)) in families {
            terms.take(family, &members, &others);
        }
        Some(terms)
    }
}

/// Some values of an axis, in words.
#[derive(Default)]
struct Terms {
    /// What stands between a predicate's parentheses: values, and families of them as `virtio-*`.
    any: Vec<String>,
    /// The values of these families that are not among them.
    but: Vec<String>,
}

impl Terms {
    /// Takes the `members` of a family in, as the family where they are all of it, or nearly.
    fn take(&mut self, family: &str, members: &[&str], others: &[&str]) {
        let nearly = others.len() <= 2 && members.len() >= 3 * others.len();
        if members.len() > 1 && nearly {
            self.any.push(format!("{family}*"));
            self.but.extend(others.iter().map(|one| (*one).to_owned()));
        } else {
            self.any.extend(members.iter().map(|one| (*one).to_owned()));
        }
    }

    fn count(&self) -> usize {
        self.any.len() + self.but.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(name: &str) -> Judgement {
        let case: Case = name.parse().expect("a case");
        let mut judgement = Judgement::skipped(case, "", 0);
        judgement
            .conditions
            .iter_mut()
            .for_each(|(_, verdict)| *verdict = crate::Verdict::Pass);
        judgement
    }

    fn apart(all: &[&str], of: impl Fn(&str) -> bool) -> (String, usize) {
        let name = |options: &&str| format!("qemu/qemu/trixie,sid/precopy/tcp/running/{options}");
        let run = Run::new(Vec::new(), all.iter().map(|one| judged(&name(one))));
        let own: Vec<_> = run
            .judgements()
            .filter(|one| of(&one.case.to_string()))
            .collect();
        let Apart { filter, having } = Facets::of(&run).apart(&own);
        (filter, having)
    }

    const DEVICES: [&str; 9] = [
        "plain",
        "virtio-net",
        "virtio-rng",
        "virtio-balloon",
        "virtio-blk-in-use",
        "virtio-input",
        "all-virtio",
        "e1000",
        "nvme",
    ];

    #[test]
    fn a_family_of_values_is_found() {
        let virtio = apart(&DEVICES, |name| name.contains("/virtio-"));
        assert_eq!(virtio, ("devices(virtio-*)".to_owned(), 5));
        let with_all = apart(&DEVICES, |name| name.contains("virtio"));
        assert_eq!(with_all, ("devices(all-virtio,virtio-*)".to_owned(), 6));
    }

    #[test]
    fn a_family_with_an_exception_is_told_with_it() {
        let in_use = apart(&DEVICES, |name| {
            name.contains("virtio") && !name.ends_with("virtio-rng")
        });
        let told = "devices(all-virtio,virtio-*) & !devices(virtio-rng)";
        assert_eq!(in_use, (told.to_owned(), 5));
    }

    #[test]
    fn all_but_one_value_is_told_by_the_one() {
        let others = apart(&DEVICES, |name| !name.ends_with("nvme"));
        assert_eq!(others, ("!devices(nvme)".to_owned(), 8));
    }

    #[test]
    fn where_nothing_sets_them_apart_nothing_is_said() {
        let several = ["nvme", "plain", "virtio-net", "virtio-input", "virtio-rng"];
        let odd = ["nvme", "virtio-net", "e1000", "virtio-rng"];
        let all: Vec<_> = DEVICES
            .into_iter()
            .chain(["vga", "ehci", "xhci", "lsi"])
            .collect();
        let is_odd = |name: &str| odd.iter().any(|one| name.ends_with(&format!("/{one}")));
        assert_eq!(apart(&all, is_odd), (String::new(), all.len()));
        assert_eq!(apart(&several, |_| true), (String::new(), several.len()));
    }

    #[test]
    fn a_list_of_values_is_told_where_it_is_exact() {
        let all: Vec<_> = ["vga", "ehci", "xhci", "lsi", "ahci", "megasas"]
            .into_iter()
            .chain(DEVICES)
            .collect();
        let name = |options: &&str| format!("qemu/qemu/trixie,sid/precopy/tcp/running/{options}");
        let run = Run::new(Vec::new(), all.iter().map(|one| judged(&name(one))));
        let listed = |ends: &[&str]| {
            let is_meant = |one: &&Judgement| {
                let name = one.case.to_string();
                ends.iter().any(|end| name.ends_with(&format!("/{end}")))
            };
            let own: Vec<_> = run.judgements().filter(is_meant).collect();
            let apart = Facets::of(&run).listed(&own)?;
            Some((apart.filter, apart.having))
        };
        let odd = ["nvme", "virtio-net", "e1000", "virtio-rng"];
        let told = "devices(e1000,nvme,virtio-net,virtio-rng)";
        assert_eq!(listed(&odd), Some((told.to_owned(), 4)));
        let most = listed(&DEVICES).map(|(filter, having)| (filter.contains("plain"), having));
        assert_eq!(most, Some((false, 9)), "what is not meant is shorter");
    }

    #[test]
    fn hardware_is_named_before_the_way_of_asking_where_either_sets_the_cases_apart() {
        let name = |control: &str, hardware: &str| {
            let tuple = "trixie,bookworm,trixie";
            format!("tck/libvirt/{tuple}/{control}/persistent-running-undefined/none{hardware}")
        };
        let all = [
            name("p2p", ""),
            name("tunnelled", ""),
            name("normal", "/gpu"),
        ];
        let run = Run::new(Vec::new(), all.iter().map(|one| judged(one)));
        let apart = |word: &str| {
            let is_meant = |one: &&Judgement| one.case.to_string().contains(word);
            let own: Vec<_> = run.judgements().filter(is_meant).collect();
            Facets::of(&run).apart(&own).filter
        };
        assert_eq!(apart("normal"), "hardware(gpu)");
        assert_eq!(apart("p2p"), "control(p2p)");
    }

    #[test]
    fn where_only_some_that_share_a_trait_are_meant_it_is_told_how_many_have_it() {
        let meant = ["psk+nvme", "psk+e1000", "psk+vga", "psk+lsi"];
        let others = ["psk+ehci", "psk+ahci", "psk+megasas", "psk+xhci", "plain"];
        let all = [&meant[..], &others[..]].concat();
        let is_meant = |name: &str| meant.iter().any(|one| name.ends_with(&one[4..]));
        assert_eq!(apart(&all, is_meant), ("tls(psk)".to_owned(), 8));
    }
}
