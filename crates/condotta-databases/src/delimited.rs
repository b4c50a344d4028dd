//! Rows from text files: comma- or tab-separated values, whose columns are read by their types.
//!
//! NULL and empty text are two things in CSV: `,,` is NULL, `,"",` is empty text, as PostgreSQL has it.

use std::{borrow::Cow, io::BufRead};

use crate::{
    Column,
    copy::{Push, Rows},
    error::Fault,
    text,
    value::Value,
};

/// How a text file lists rows.
#[derive(Clone, Debug)]
pub struct Delimited {
    separator: u8,
    quotes: bool,
    header: bool,
    null: String,
}

impl Delimited {
    /// Comma-separated values with a header, as snapshots write them. The header's names say which
    /// field is for which column.
    #[must_use]
    pub fn csv() -> Self {
        Self {
            separator: b',',
            quotes: true,
            header: true,
            null: String::new(),
        }
    }

    /// Tab-separated values without header and quotes, as Luigi's tasks read them; `\N` is NULL.
    #[must_use]
    pub fn tsv() -> Self {
        Self {
            separator: b'\t',
            quotes: false,
            header: false,
            null: "\\N".to_owned(),
        }
    }

    /// Whether the first line has the columns' names. Without, the fields are in the columns' order.
    #[must_use]
    pub fn header(mut self, header: bool) -> Self {
        self.header = header;
        self
    }

    /// The text that stands for NULL where it is not in quotes.
    #[must_use]
    pub fn null(mut self, text: impl Into<String>) -> Self {
        self.null = text.into();
        self
    }

    /// What stands between two fields: a character of ASCII.
    #[must_use]
    pub fn separator(mut self, separator: u8) -> Self {
        self.separator = separator;
        self
    }

    /// The rows of a file.
    pub(crate) fn rows<R: BufRead>(self, file: R) -> impl Rows {
        DelimitedRows { layout: self, file }
    }
}

struct DelimitedRows<R> {
    layout: Delimited,
    file: R,
}

/// A field, and whether it stood in quotes.
type Field<'a> = (Cow<'a, str>, bool);

impl<R: BufRead> Rows for DelimitedRows<R> {
    fn each(mut self: Box<Self>, columns: &[Column], push: Push<'_>) -> Result<(), Fault> {
        let mut line = Vec::new();
        let order = match self.layout.header {
            true => match self.next_line(&mut line, 0)? {
                true => self.layout.order(&line, columns)?,
                false => return Err(Fault::refused("the file has no header: it is empty")),
            },
            false => (0..columns.len()).collect(),
        };
        let mut row = 0;
        while self.next_line(&mut line, row + 1)? {
            if line.is_empty() && columns.len() > 1 {
                continue;
            }
            row += 1;
            let line = utf8(&line, row)?;
            let mut values = vec![Value::Null; columns.len()];
            let mut count = 0;
            self.layout.split(
                line,
                |field| {
                    if let Some(&place) = order.get(count) {
                        values[place] = self.layout.value(field, &columns[place], row)?;
                    }
                    count += 1;
                    Ok(())
                },
                row,
            )?;
            if count != columns.len() {
                let problem = format!("it has {count} fields, not {}", columns.len());
                return Err(Fault::whole_row(row, problem));
            }
            push(&values)?;
        }
        Ok(())
    }
}

impl<R: BufRead> DelimitedRows<R> {
    /// Reads up to the end of a row, which is left out. A quote that is open goes over lines.
    fn next_line(&mut self, line: &mut Vec<u8>, row: u64) -> Result<bool, Fault> {
        line.clear();
        let mut looked_at = 0;
        let mut open = false;
        loop {
            let read = self.file.read_until(b'\n', line);
            let read = read.map_err(|error| Fault::whole_row(row, error))?;
            if read == 0 && open {
                return Err(Fault::whole_row(row, "a quote is not closed"));
            }
            if read == 0 {
                return Ok(!line.is_empty());
            }
            if self.layout.quotes {
                open ^= memchr::memchr_iter(b'"', &line[looked_at..]).count() % 2 == 1;
                looked_at = line.len();
            }
            if !open {
                break;
            }
        }
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        }
        Ok(true)
    }
}

impl Delimited {
    /// For each field of the header, which column it is for.
    fn order(&self, header: &[u8], columns: &[Column]) -> Result<Vec<usize>, Fault> {
        let header = utf8(header, 0)?;
        let mut order = Vec::new();
        self.split(
            header.trim_start_matches('\u{feff}'),
            |(name, _)| {
                let place = columns.iter().position(|column| column.name == name);
                let place = place.ok_or_else(|| {
                    Fault::refused(format!(
                        "the file has a column `{name}`, the table has none"
                    ))
                })?;
                order.push(place);
                Ok(())
            },
            0,
        )?;
        for (place, column) in columns.iter().enumerate() {
            match order.iter().filter(|known| **known == place).count() {
                1 => {}
                0 => {
                    let problem = format!("the file has no column `{}`", column.name);
                    return Err(Fault::refused(problem));
                }
                _ => {
                    let problem = format!("the file has a column `{}` twice", column.name);
                    return Err(Fault::refused(problem));
                }
            }
        }
        Ok(order)
    }

    fn value<'a>(
        &self,
        (field, quoted): Field<'a>,
        column: &Column,
        row: u64,
    ) -> Result<Value<'a>, Fault> {
        if !quoted && field == self.null {
            return Ok(Value::Null);
        }
        let value = match field {
            Cow::Borrowed(field) => text::read(field, &column.kind),
            Cow::Owned(field) => text::read(&field, &column.kind).map(Value::into_owned),
        };
        value.map_err(|problem| Fault::row(row, &column.name, problem))
    }

    /// Takes a row apart.
    fn split<'a>(
        &self,
        line: &'a str,
        mut take: impl FnMut(Field<'a>) -> Result<(), Fault>,
        row: u64,
    ) -> Result<(), Fault> {
        let mut rest = line;
        loop {
            let (field, after) = match rest.strip_prefix('"') {
                Some(text) if self.quotes => unquoted(text, row)?,
                _ => {
                    let end = memchr::memchr(self.separator, rest.as_bytes()).unwrap_or(rest.len());
                    let field = &rest[..end];
                    if self.quotes && memchr::memchr(b'"', field.as_bytes()).is_some() {
                        let problem =
                            format!("a quote in `{field}`, which does not begin with one");
                        return Err(Fault::whole_row(row, problem));
                    }
                    ((Cow::Borrowed(field), false), &rest[end..])
                }
            };
            take(field)?;
            if after.is_empty() {
                return Ok(());
            }
            if after.as_bytes()[0] != self.separator {
                let problem = "there is text after a closing quote";
                return Err(Fault::whole_row(row, problem));
            }
            rest = &after[1..];
        }
    }
}

/// What stands up to the closing quote, and what comes after it. Two quotes are one.
fn unquoted(text: &str, row: u64) -> Result<(Field<'_>, &str), Fault> {
    let mut from = 0;
    let mut twice = false;
    while let Some(found) = memchr::memchr(b'"', &text.as_bytes()[from..]) {
        let end = from + found;
        if text.as_bytes().get(end + 1) == Some(&b'"') {
            twice = true;
            from = end + 2;
            continue;
        }
        let field = match twice {
            true => Cow::Owned(text[..end].replace("\"\"", "\"")),
            false => Cow::Borrowed(&text[..end]),
        };
        return Ok(((field, true), &text[end + 1..]));
    }
    Err(Fault::whole_row(row, "a quote is not closed"))
}

fn utf8(line: &[u8], row: u64) -> Result<&str, Fault> {
    std::str::from_utf8(line).map_err(|error| Fault::whole_row(row, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Type;

    fn read(layout: Delimited, columns: &[Column], file: &str) -> Result<Vec<Vec<String>>, Fault> {
        let mut rows = Vec::new();
        Box::new(layout.rows(file.as_bytes())).each(columns, &mut |values| {
            rows.push(values.iter().map(|value| format!("{value:?}")).collect());
            Ok(())
        })?;
        Ok(rows)
    }

    fn columns() -> [Column; 2] {
        [("name", Type::Text).into(), ("size", Type::Integer).into()]
    }

    #[test]
    fn fields_go_to_their_columns() {
        let file = "size,name\r\n1,plain\r\n2,\"a, \"\"b\"\"\r\nc\"\r\n,\"\"\n3,\n";
        let rows = read(Delimited::csv(), &columns(), file).expect("good rows");
        let expected = [
            [r#"Text("plain")"#, "Integer(1)"],
            [r#"Text("a, \"b\"\r\nc")"#, "Integer(2)"],
            [r#"Text("")"#, "Null"],
            ["Null", "Integer(3)"],
        ];
        assert_eq!(rows, expected);
        let rows = read(Delimited::tsv(), &columns(), "\"a\t1\n\t\\N").expect("good rows");
        assert_eq!(
            rows,
            [[r#"Text("\"a")"#, "Integer(1)"], [r#"Text("")"#, "Null"]]
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_row() {
        for (file, wrong) in [
            (
                "name,size\na,1\nb,many\n",
                r#"Row { row: 2, column: Some("size"), source: "`many` is no integer, which is written as `-42`" }"#,
            ),
            (
                "name,size\na,1,2\n",
                r#"Row { row: 1, column: None, source: "it has 3 fields, not 2" }"#,
            ),
            (
                "name,size\n\"a,1\n",
                r#"Row { row: 1, column: None, source: "a quote is not closed" }"#,
            ),
            (
                "name,size\n\"a\"b,1\n",
                r#"Row { row: 1, column: None, source: "there is text after a closing quote" }"#,
            ),
            (
                "name,size\na\"b\",1\n",
                "Row { row: 1, column: None, source: \"a quote in `a\\\"b\\\"`, which does not begin with one\" }",
            ),
            ("name\na\n", r#"Refused("the file has no column `size`")"#),
            (
                "name,age\na,1\n",
                r#"Refused("the file has a column `age`, the table has none")"#,
            ),
            ("", r#"Refused("the file has no header: it is empty")"#),
        ] {
            let fault = read(Delimited::csv(), &columns(), file).expect_err(file);
            assert_eq!(format!("{fault:?}"), wrong);
        }
    }
}
