//! Names of tables and columns, written so that SQL takes them to the letter.

use crate::database::Kind;

/// A table's name, possibly with its schema (or database) in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    parts: Vec<String>,
}

impl Name {
    /// Reads `table`, `schema.table` or, where a part has a dot in it, `"my.schema"."table"`.
    pub(crate) fn new(text: &str) -> Self {
        let mut parts = vec![String::new()];
        let mut quoted = false;
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            let part = parts.last_mut().expect("there is one from the start");
            match c {
                '"' if quoted && characters.peek() == Some(&'"') => {
                    characters.next();
                    part.push('"');
                }
                '"' => quoted = !quoted,
                '.' if !quoted => parts.push(String::new()),
                c => part.push(c),
            }
        }
        Self { parts }
    }

    /// As SQL has it.
    pub(crate) fn quoted(&self, kind: Kind) -> String {
        let quoted: Vec<String> = self.parts.iter().map(|part| quoted(part, kind)).collect();
        quoted.join(".")
    }
}

/// One name as SQL has it: to the letter, be it a word of SQL.
pub(crate) fn quoted(name: &str, kind: Kind) -> String {
    match kind {
        Kind::MySql => format!("`{}`", name.replace('`', "``")),
        Kind::Postgres | Kind::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// Text as SQL has it.
pub(crate) fn literal(text: &str, kind: Kind) -> String {
    match kind {
        // In hexadecimal digits, since it is a setting what backslashes mean.
        Kind::MySql => {
            let digits: String = text.bytes().map(|byte| format!("{byte:02X}")).collect();
            format!("_utf8mb4 X'{digits}'")
        }
        Kind::Postgres | Kind::Sqlite => format!("'{}'", text.replace('\'', "''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_part_by_part() {
        for (text, postgres) in [
            ("order", r#""order""#),
            ("weather.monthly", r#""weather"."monthly""#),
            (r#""my.schema".t"#, r#""my.schema"."t""#),
            (r#""say ""hi""""#, r#""say ""hi""""#),
        ] {
            assert_eq!(Name::new(text).quoted(Kind::Postgres), postgres);
        }
        assert_eq!(Name::new("a`b.c").quoted(Kind::MySql), "`a``b`.`c`");
    }
}
