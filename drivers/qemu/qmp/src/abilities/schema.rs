//! What `query-qmp-schema` tells of a QEMU's commands and events.
//!
//! The names of types are masked (numbers), and differ from build to build: so a member is found by the
//! way from a command or an event to it, and never by its type's name. See "Client JSON Protocol
//! introspection" in QEMU's `docs/devel/qapi-code-gen`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::entity::{Entity, Member, Named};

/// All entities, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Named>", into = "Vec<Named>")]
pub struct Schema {
    entities: BTreeMap<String, Entity>,
}

/// Where a way through the schema begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root<'a> {
    /// At the arguments of the command of this name.
    Arguments(&'a str),
    /// At what the command of this name returns.
    Returned(&'a str),
    /// At the data of the event of this name.
    Event(&'a str),
}

impl Schema {
    /// Whether there is a command of this name.
    #[must_use]
    pub fn has_command(&self, name: &str) -> bool {
        matches!(self.entities.get(name), Some(Entity::Command { .. }))
    }

    /// Whether there is an event of this name.
    #[must_use]
    pub fn has_event(&self, name: &str) -> bool {
        matches!(self.entities.get(name), Some(Entity::Event { .. }))
    }

    /// Whether the command of this name can be sent out of band.
    #[must_use]
    pub fn is_out_of_band(&self, name: &str) -> bool {
        matches!(
            self.entities.get(name),
            Some(Entity::Command {
                allow_oob: true,
                ..
            })
        )
    }

    /// The features of the command or event of this name: `deprecated`, `unstable`, …
    #[must_use]
    pub fn features(&self, name: &str) -> &[String] {
        match self.entities.get(name) {
            Some(Entity::Command { features, .. } | Entity::Event { features, .. }) => features,
            Some(
                Entity::Builtin {}
                | Entity::Enum { .. }
                | Entity::Array { .. }
                | Entity::Object { .. }
                | Entity::Alternate { .. }
                | Entity::Unknown,
            )
            | None => &[],
        }
    }

    /// The commands' names.
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        let is_command = |entity: &Entity| matches!(entity, Entity::Command { .. });
        self.entities
            .iter()
            .filter(move |(_, entity)| is_command(entity))
            .map(|(name, _)| name.as_str())
    }

    /// Whether there is a member at the end of `path` from `root`: names with dots between, as in
    /// `channels.addr.transport`. Lists and alternatives on the way are passed through, and all variants are looked at.
    #[must_use]
    pub fn has_member(&self, root: Root, path: &str) -> bool {
        !self.types_at(root, path).is_empty()
    }

    /// The words that the member at the end of `path` from `root` can have; none where it is no enumeration.
    #[must_use]
    pub fn words_at(&self, root: Root, path: &str) -> BTreeSet<&str> {
        let types = self.types_at(root, path);
        self.unfold(types)
            .into_iter()
            .flat_map(Entity::words)
            .collect()
    }

    /// The members at the end of `path` from `root`; those of the root itself where `path` is empty.
    #[must_use]
    pub fn members_at(&self, root: Root, path: &str) -> Vec<&Member> {
        let types = self.types_at(root, path);
        self.unfold(types)
            .into_iter()
            .flat_map(Entity::members)
            .collect()
    }

    fn types_at(&self, root: Root, path: &str) -> Vec<&str> {
        let names = path.split('.').filter(|name| !name.is_empty());
        names.fold(self.root(root), |types, name| {
            let members = self.unfold(types).into_iter().flat_map(Entity::members);
            members
                .filter(|member| member.name == name)
                .map(|member| member.of.as_str())
                .collect()
        })
    }

    fn root(&self, root: Root) -> Vec<&str> {
        let (Root::Arguments(name) | Root::Returned(name) | Root::Event(name)) = root;
        let found = match (root, self.entities.get(name)) {
            (Root::Arguments(_), Some(Entity::Command { arg_type, .. }))
            | (Root::Event(_), Some(Entity::Event { arg_type, .. })) => Some(arg_type.as_str()),
            (Root::Returned(_), Some(Entity::Command { ret_type, .. })) => Some(ret_type.as_str()),
            (Root::Arguments(_) | Root::Returned(_) | Root::Event(_), _) => None,
        };
        found.into_iter().collect()
    }

    /// The types themselves, the elements of lists, the choices of alternates, the variants of
    /// objects, and theirs. A type that contains itself is looked at once.
    fn unfold<'a>(&'a self, mut open: Vec<&'a str>) -> Vec<&'a Entity> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        while let Some(name) = open.pop() {
            let Some(entity) = self.entities.get(name).filter(|_| seen.insert(name)) else {
                continue;
            };
            found.push(entity);
            match entity {
                Entity::Array { element_type } => open.push(element_type),
                Entity::Alternate { members } => {
                    open.extend(members.iter().map(|choice| choice.of.as_str()))
                }
                Entity::Object { variants, .. } => {
                    open.extend(variants.iter().map(|variant| variant.of.as_str()))
                }
                Entity::Builtin {}
                | Entity::Enum { .. }
                | Entity::Command { .. }
                | Entity::Event { .. }
                | Entity::Unknown => {}
            }
        }
        found
    }
}

impl From<Vec<Named>> for Schema {
    fn from(named: Vec<Named>) -> Self {
        let entities = named
            .into_iter()
            .map(|one| (one.name, one.entity))
            .collect();
        Self { entities }
    }
}

impl From<Schema> for Vec<Named> {
    fn from(schema: Schema) -> Self {
        let entities = schema.entities.into_iter();
        entities
            .map(|(name, entity)| Named { name, entity })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn entities() -> Value {
        json!([
            { "name": "migrate", "meta-type": "command", "arg-type": "0", "ret-type": "1",
              "allow-oob": true, "features": ["deprecated"] },
            { "name": "0", "meta-type": "object", "members": [
                { "name": "uri", "type": "str", "default": null },
                { "name": "channels", "type": "[2]" }] },
            { "name": "1", "meta-type": "object", "members": [] },
            { "name": "[2]", "meta-type": "array", "element-type": "2" },
            { "name": "2", "meta-type": "alternate", "members": [{ "type": "3" }, { "type": "[2]" }] },
            { "name": "3", "meta-type": "object", "tag": "transport",
              "members": [{ "name": "transport", "type": "4" }],
              "variants": [{ "case": "exec", "type": "5" }, { "case": "file", "type": "nowhere" }] },
            { "name": "4", "meta-type": "enum", "values": ["exec"],
              "members": [{ "name": "exec" }, { "name": "file", "features": ["unstable"] }] },
            { "name": "5", "meta-type": "object", "members": [{ "name": "args", "type": "str" }] },
            { "name": "str", "meta-type": "builtin", "json-type": "string" },
            { "name": "new", "meta-type": "something-new", "members": 7 },
            { "name": "STOP", "meta-type": "event", "arg-type": "1" },
        ])
    }

    fn schema() -> Schema {
        serde_json::from_value(entities()).unwrap()
    }

    #[test]
    fn a_way_leads_through_lists_alternatives_and_variants() {
        let (schema, root) = (schema(), Root::Arguments("migrate"));
        for path in ["uri", "channels", "channels.transport", "channels.args"] {
            assert!(schema.has_member(root, path), "{path}");
        }
        for path in ["url", "uri.transport", "channels.transport.exec"] {
            assert!(!schema.has_member(root, path), "{path}");
        }
        let words = schema.words_at(root, "channels.transport");
        assert_eq!(words.into_iter().collect::<Vec<_>>(), ["exec", "file"]);
        let optional: Vec<bool> = schema
            .members_at(root, "")
            .iter()
            .map(|member| member.optional)
            .collect();
        assert_eq!(optional, [true, false]);
    }

    #[test]
    fn commands_and_events_are_not_taken_for_each_other() {
        let schema = schema();
        assert!(schema.has_command("migrate") && !schema.has_event("migrate"));
        assert!(schema.has_event("STOP") && !schema.has_command("STOP"));
        assert!(schema.is_out_of_band("migrate"));
        assert_eq!(schema.features("migrate"), ["deprecated"]);
        assert_eq!(schema.commands().collect::<Vec<_>>(), ["migrate"]);
        assert!(!schema.has_member(Root::Returned("migrate"), "uri"));
        assert!(!schema.has_member(Root::Event("migrate"), "uri"));
    }

    #[test]
    fn a_schema_that_was_written_is_read_as_the_same() {
        let text = serde_json::to_string(&schema()).unwrap();
        assert_eq!(serde_json::from_str::<Schema>(&text).unwrap(), schema());
    }

    proptest! {
        #[test]
        fn types_that_lead_in_circles_end(links in prop::collection::vec((0..4_usize, 0..4_usize), 4)) {
            let types = links.iter().enumerate().map(|(name, (to, kind))| match kind {
                0 => json!({ "name": name.to_string(), "meta-type": "array", "element-type": to.to_string() }),
                1 => json!({ "name": name.to_string(), "meta-type": "alternate",
                    "members": [{ "type": to.to_string() }] }),
                _ => json!({ "name": name.to_string(), "meta-type": "object",
                    "members": [{ "name": "a", "type": to.to_string() }],
                    "variants": [{ "case": "x", "type": to.to_string() }] }),
            });
            let command =
                json!({ "name": "c", "meta-type": "command", "arg-type": "0", "ret-type": "1" });
            let all: Vec<Value> = types.chain([command]).collect();
            let schema: Schema = serde_json::from_value(all.into()).unwrap();
            let words = schema.words_at(Root::Arguments("c"), "a.a.a.a.a.a.a");
            prop_assert!(words.is_empty());
        }
    }
}
