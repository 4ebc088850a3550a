//! The grammar of filters, read by recursive descent.
//!
//! ```text
//!   any       = all { ("|" | "||" | "or") all }
//!   all       = one { ("&" | "&&" | "and") one }
//!   one       = ("!" | "not") one | "(" any ")" | predicate
//!   predicate = word "(" [ value { "," value } ] ")"
//!   value     = a word, a glob, or of a release also: bound { "&" bound }
//! ```

use crate::Role;

use super::{
    BadFilter, Expression,
    predicate::Predicate,
    vocabulary::{self, Values},
};

/// How deep parentheses and `!` may be nested, for the stack's sake.
const DEEPEST: usize = 100;

pub(super) fn parse(text: &str) -> Result<Expression, BadFilter> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    let expression = parser.any()?;
    if parser.rest().is_empty() {
        Ok(expression)
    } else {
        Err(parser.expected("`&`, `|` or the end"))
    }
}

struct Parser<'a> {
    text: &'a str,
    /// The byte that is read next.
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Result<Expression, BadFilter> {
        let parts = self.chain("|", "or", Self::all)?;
        Ok(joined(parts, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, BadFilter> {
        let parts = self.chain("&", "and", Self::one)?;
        Ok(joined(parts, Expression::All))
    }

    fn chain(
        &mut self,
        sign: &str,
        word: &str,
        part: fn(&mut Self) -> Result<Expression, BadFilter>,
    ) -> Result<Vec<Expression>, BadFilter> {
        let mut parts = vec![part(self)?];
        while self.takes(&sign.repeat(2)) || self.takes(sign) || self.takes_word(word) {
            parts.push(part(self)?);
        }
        Ok(parts)
    }

    fn one(&mut self) -> Result<Expression, BadFilter> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong(self.at, format!("nested deeper than {DEEPEST} levels")));
        }
        let one = if self.takes("!") || self.takes_word("not") {
            Expression::Not(Box::new(self.one()?))
        } else if self.takes("(") {
            let inner = self.any()?;
            self.takes_closing()?;
            inner
        } else {
            self.predicate()?
        };
        self.depth -= 1;
        Ok(one)
    }

    fn predicate(&mut self) -> Result<Expression, BadFilter> {
        let word = self.word();
        let start = self.at;
        if word.is_empty() {
            return Err(self.expected("a predicate, as `control(p2p)`, or `!` or `(`"));
        }
        let values = vocabulary::values_of(word).map_err(|error| self.wrong(start, error))?;
        self.at += word.len();
        if !self.takes("(") {
            return Err(self.expected(&format!("`(` after `{word}`")));
        }
        let expression = self.values(values)?;
        self.takes_closing()?;
        Ok(expression)
    }

    /// Reads what stands between a predicate's parentheses.
    fn values(&mut self, values: Values) -> Result<Expression, BadFilter> {
        let argument = self.argument();
        match values {
            Values::None(jump) if argument.trim().is_empty() => {
                Ok(Expression::Is(Predicate::Direction(jump)))
            }
            Values::None(_) => Err(self.expected("`)`, for there is no value here")),
            Values::One(read) => self.value(argument, read),
            Values::Several(read) => self.several(argument, read),
            Values::Words(name) => self.several(argument, |value| vocabulary::words(name, value)),
            Values::Releases(role) => self.releases(role),
        }
    }

    /// Reads releases with commas between them. Of a version there may be several bounds, and all of
    /// them must do.
    fn releases(&mut self, role: Role) -> Result<Expression, BadFilter> {
        let mut any = Vec::new();
        for (place, range) in self.up_to(&['(', ')', '|', '!']).split(',').enumerate() {
            self.at += usize::from(place > 0);
            let mut all: Vec<Expression> = Vec::new();
            for bound in range.split('&') {
                self.at += usize::from(!all.is_empty());
                let one = match all.first() {
                    Some(Expression::Is(first)) => {
                        self.value(bound, |value| vocabulary::further(first, role, value))?
                    }
                    Some(_) | None => {
                        self.value(bound, |value| vocabulary::release(role, value))?
                    }
                };
                all.push(one);
            }
            any.push(joined(all, Expression::All));
        }
        Ok(joined(any, Expression::Any))
    }

    /// Reads values with commas between them: any of them will do.
    fn several(
        &mut self,
        argument: &str,
        read: impl Fn(&str) -> Result<Predicate, String>,
    ) -> Result<Expression, BadFilter> {
        let mut parts = Vec::new();
        for (place, value) in argument.split(',').enumerate() {
            self.at += usize::from(place > 0);
            parts.push(self.value(value, &read)?);
        }
        Ok(joined(parts, Expression::Any))
    }

    /// Reads the one value that comes next, which is written as `value` with spaces around it.
    fn value(
        &mut self,
        value: &str,
        read: impl Fn(&str) -> Result<Predicate, String>,
    ) -> Result<Expression, BadFilter> {
        let start = self.at + value.len() - value.trim_start().len();
        let predicate = read(value.trim()).map_err(|problem| self.wrong(start, problem))?;
        self.at += value.len();
        Ok(Expression::Is(predicate))
    }

    /// All up to the next sign, which no value has in it.
    fn argument(&self) -> &'a str {
        self.up_to(&['(', ')', '&', '|', '!'])
    }

    fn up_to(&self, signs: &[char]) -> &'a str {
        let rest = &self.text[self.at..];
        &rest[..rest.find(signs).unwrap_or(rest.len())]
    }

    fn takes_closing(&mut self) -> Result<(), BadFilter> {
        if self.takes(")") {
            Ok(())
        } else {
            Err(self.expected("`)`"))
        }
    }

    /// Steps over `sign` if it comes next.
    fn takes(&mut self, sign: &str) -> bool {
        let comes = self.rest().starts_with(sign);
        if comes {
            self.at += sign.len();
        }
        comes
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let comes = self.word() == word;
        if comes {
            self.at += word.len();
        }
        comes
    }

    /// The word that comes next; empty if none does.
    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '-' && c != '_');
        &rest[..end.unwrap_or(rest.len())]
    }

    /// What comes next, after any spaces.
    fn rest(&mut self) -> &'a str {
        let rest = self.text[self.at..].trim_start();
        self.at = self.text.len() - rest.len();
        rest
    }

    fn expected(&mut self, what: &str) -> BadFilter {
        let found = match self.rest().chars().next() {
            Some(found) => format!("found `{found}`"),
            None => "found the end".to_owned(),
        };
        self.wrong(self.at, format!("expected {what}, {found}"))
    }

    fn wrong(&self, at: usize, problem: impl ToString) -> BadFilter {
        BadFilter {
            text: self.text.to_owned(),
            at,
            problem: problem.to_string(),
        }
    }
}

/// The only one of `parts`, or all of them as `how` says.
fn joined(mut parts: Vec<Expression>, how: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            how(parts)
        }
        None => how(parts),
    }
}
