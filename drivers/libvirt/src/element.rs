//! An XML element, as it is put together here before it is written.

use std::fmt;

use quick_xml::{
    Writer,
    events::{BytesEnd, BytesStart, BytesText, Event},
};

/// An element with its attributes, and either elements or text in it.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    text: Option<String>,
    children: Vec<Element>,
}

impl Element {
    /// An empty element.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self {
            name,
            attributes: Vec::new(),
            text: None,
            children: Vec::new(),
        }
    }

    /// The same element with an attribute more.
    pub(crate) fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.attributes.push((name, value.to_string()));
        self
    }

    /// The same element with this text in it.
    pub(crate) fn text(mut self, text: impl fmt::Display) -> Self {
        self.text = Some(text.to_string());
        self
    }

    /// The same element with an element more in it.
    pub(crate) fn holds(self, child: Self) -> Self {
        self.holds_all([child])
    }

    /// The same element with these elements more in it.
    pub(crate) fn holds_all(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) -> std::io::Result<()> {
        let attributes = self.attributes.iter();
        let start = BytesStart::new(self.name)
            .with_attributes(attributes.map(|(name, value)| (*name, value.as_str())));
        if self.text.is_none() && self.children.is_empty() {
            return writer.write_event(Event::Empty(start));
        }
        writer.write_event(Event::Start(start))?;
        if let Some(text) = &self.text {
            writer.write_event(Event::Text(BytesText::new(text)))?;
        }
        for child in &self.children {
            child.write(writer)?;
        }
        writer.write_event(Event::End(BytesEnd::new(self.name)))
    }
}

/// Its XML, an element a line, with whatever has to be escaped.
impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        self.write(&mut writer).map_err(|_| fmt::Error)?;
        f.write_str(&String::from_utf8_lossy(&writer.into_inner()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_an_attribute_or_a_text_is_escaped() {
        let path = "/tmp/a & b's \"<c>\".img";
        let disk = Element::new("disk").holds(Element::new("source").with("file", path));
        let xml = disk.holds(Element::new("name").text(path)).to_string();
        let read = roxmltree::Document::parse(&xml).unwrap();
        let source = read.descendants().find(|node| node.has_tag_name("source"));
        let name = read.descendants().find(|node| node.has_tag_name("name"));
        assert_eq!(source.unwrap().attribute("file"), Some(path));
        assert_eq!(name.unwrap().text(), Some(path));
    }
}
