//! The entities of QEMU's schema, in the form in which `query-qmp-schema` tells them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::IgnoredAny};

/// An entity with its name.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) entity: Entity,
}

/// `SchemaInfo`: one entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "meta-type",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub(crate) enum Entity {
    /// A type without parts.
    Builtin {},
    /// A type of words.
    Enum {
        /// The words.
        #[serde(default)]
        values: Vec<String>,
        /// The words with their features; from QEMU 6.2 on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        members: Vec<Word>,
    },
    /// A list.
    Array {
        /// The type of each element.
        element_type: String,
    },
    /// An object.
    Object {
        /// The members that it always can have.
        members: Vec<Member>,
        /// The member that chooses the variant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tag: Option<String>,
        /// Further members, by the choice.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        variants: Vec<Variant>,
    },
    /// One of several types.
    Alternate {
        /// The types.
        members: Vec<Choice>,
    },
    /// A command.
    Command {
        /// The type of its arguments.
        arg_type: String,
        /// The type of what it returns.
        ret_type: String,
        /// Whether it can be sent out of band.
        #[serde(default, skip_serializing_if = "is_false")]
        allow_oob: bool,
        /// `deprecated`, `unstable`, …
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        features: Vec<String>,
    },
    /// An event.
    Event {
        /// The type of its data.
        arg_type: String,
        /// `deprecated`, `unstable`, …
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        features: Vec<String>,
    },
    /// A kind of entity that this version doesn't know.
    #[serde(other)]
    Unknown,
}

/// A word of an enumeration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Word {
    /// The word.
    pub name: String,
    /// `deprecated`, `unstable`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its type's masked name.
    #[serde(rename = "type")]
    pub of: String,
    /// Whether it can be left out. The schema says so by a member `default`, whatever its value.
    #[serde(
        rename = "default",
        default,
        deserialize_with = "is_there",
        serialize_with = "null",
        skip_serializing_if = "is_false"
    )]
    pub optional: bool,
    /// `deprecated`, `unstable`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
}

/// The members that an object has by the choice of its tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Variant {
    /// The tag's value.
    pub case: String,
    /// The masked name of the object type with the members.
    #[serde(rename = "type")]
    pub of: String,
}

/// One of the types of an alternate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Choice {
    /// Its masked name.
    #[serde(rename = "type")]
    pub of: String,
}

impl Entity {
    /// The members of an object that it always can have.
    pub(crate) fn members(&self) -> &[Member] {
        match self {
            Self::Object { members, .. } => members,
            Self::Builtin {}
            | Self::Enum { .. }
            | Self::Array { .. }
            | Self::Alternate { .. }
            | Self::Command { .. }
            | Self::Event { .. }
            | Self::Unknown => &[],
        }
    }

    /// The words of an enumeration.
    pub(crate) fn words(&self) -> Vec<&str> {
        match self {
            Self::Enum { values, members } => {
                let members = members.iter().map(|word| &word.name);
                values.iter().chain(members).map(String::as_str).collect()
            }
            Self::Builtin {}
            | Self::Object { .. }
            | Self::Array { .. }
            | Self::Alternate { .. }
            | Self::Command { .. }
            | Self::Event { .. }
            | Self::Unknown => Vec::new(),
        }
    }
}

fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn null<S: Serializer>(_: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_unit()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}
