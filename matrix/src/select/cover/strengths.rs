//! How strong a cover is: of all axes, and of groups of them.

use std::{fmt, str::FromStr};

use itertools::Itertools;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use thiserror::Error;

/// Of how many axes all combinations of values are to occur: of all axes, and of groups of them. As a
/// text it is `2`, or `2,client+source+destination:3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strengths {
    /// Of any of the axes.
    pub strength: usize,
    /// Of those that are named.
    pub groups: Vec<AxisGroup>,
}

/// Axes, by the names that facets have, and how many of them are to be combined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxisGroup {
    /// The axes.
    pub axes: Vec<String>,
    /// How many of them are combined.
    pub strength: usize,
}

/// A text that can't be the strengths of a cover.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not a cover: expected a strength, and after it groups of axes with theirs, as `2` or \
     `2,client+source+destination:3`"
)]
pub struct BadStrengths(pub String);

impl From<usize> for Strengths {
    fn from(strength: usize) -> Self {
        let groups = Vec::new();
        Self { strength, groups }
    }
}

impl fmt::Display for Strengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.strength)?;
        self.groups
            .iter()
            .try_for_each(|group| write!(f, ",{group}"))
    }
}

impl fmt::Display for AxisGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.axes.iter().format("+"), self.strength)
    }
}

impl FromStr for Strengths {
    type Err = BadStrengths;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadStrengths(text.to_owned());
        let mut parts = text.split(',');
        let strength = parts.next().and_then(|part| part.parse().ok());
        let groups: Option<Vec<AxisGroup>> = parts.map(read_group).collect();
        Ok(Self {
            strength: strength.ok_or_else(bad)?,
            groups: groups.ok_or_else(bad)?,
        })
    }
}

fn read_group(text: &str) -> Option<AxisGroup> {
    let (axes, strength) = text.rsplit_once(':')?;
    let axes: Vec<String> = axes.split('+').map(str::to_owned).collect();
    let strength = strength.parse().ok()?;
    let named = axes.iter().all(|axis| !axis.is_empty());
    named.then_some(AxisGroup { axes, strength })
}

/// A number where it is nothing else, as earlier versions read and wrote it.
impl Serialize for Strengths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.groups.is_empty() {
            return self.strength.serialize(serializer);
        }
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Strengths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(usize),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(strength) => Ok(strength.into()),
            Written::Text(text) => text.parse().map_err(D::Error::custom),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Strengths {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Strengths".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["integer", "string"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strengths_are_read_and_written() {
        for text in [
            "2",
            "1,flag(live)+state:2",
            "2,client+source+destination:3,a:1",
        ] {
            let read: Strengths = text.parse().unwrap();
            assert_eq!(read.to_string(), text);
            let json = serde_json::to_string(&read).unwrap();
            assert_eq!(serde_json::from_str::<Strengths>(&json).unwrap(), read);
        }
    }

    #[test]
    fn a_plain_strength_is_a_number_in_a_plan_as_before() {
        assert_eq!(serde_json::to_string(&Strengths::from(2)).unwrap(), "2");
    }

    #[test]
    fn what_is_no_cover_is_named() {
        for text in [
            "",
            "x",
            "-1",
            "2,",
            "2,client",
            "2,:3",
            "2,client+:2",
            "client:2",
        ] {
            assert_eq!(
                text.parse::<Strengths>(),
                Err(BadStrengths(text.to_owned()))
            );
        }
    }
}
