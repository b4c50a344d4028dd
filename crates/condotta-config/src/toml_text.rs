//! Reads TOML whose top level are sections.

use std::{path::Path, sync::Arc};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    document::{Document, Raw},
    error::ConfigError,
    value::{Origin, Value},
};

/// Reads `text`; `file` is for messages.
pub(crate) fn parse(text: &str, file: Option<&Arc<Path>>) -> Result<Document, ConfigError> {
    let place = |offset: usize| Origin {
        file: file.cloned(),
        line: text[..offset.min(text.len())].matches('\n').count() + 1,
    };
    let table = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
        origin: place(error.span().map_or(0, |span| span.start)),
        problem: format!("not valid TOML: {}", error.message().trim_end()),
    })?;
    let mut document = Document::default();
    for (name, content) in in_file_order(table.into_inner()) {
        let start = name.span().start;
        let name = name.into_inner();
        let DeValue::Table(content) = content.into_inner() else {
            return Err(ConfigError::Syntax {
                origin: place(start),
                problem: format!(
                    "{name:?} stands before any section; put a line such as [core] above it"
                ),
            });
        };
        let section = document.section_mut(&name);
        for (key, value) in in_file_order(content) {
            let origin = place(key.span().start);
            let value = to_value(value.into_inner()).map_err(|problem| ConfigError::Syntax {
                origin: origin.clone(),
                problem: format!("[{name}] {}: {problem}", key.get_ref()),
            })?;
            section.insert(key.get_ref(), Raw { value, origin });
        }
    }
    Ok(document)
}

type Item<'a> = (Spanned<std::borrow::Cow<'a, str>>, Spanned<DeValue<'a>>);

/// The parser sorts keys by name; people read them in the file's order.
fn in_file_order(table: DeTable<'_>) -> Vec<Item<'_>> {
    let mut items: Vec<Item<'_>> = table.into_iter().collect();
    items.sort_by_key(|(key, _)| key.span().start);
    items
}

fn to_value(value: DeValue<'_>) -> Result<Value, String> {
    Ok(match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Boolean(value) => Value::Boolean(value),
        DeValue::Integer(number) => Value::Integer(
            i64::from_str_radix(number.as_str(), number.radix())
                .map_err(|_| format!("{number} does not fit in 64 bits"))?,
        ),
        DeValue::Float(number) => Value::Float(
            number
                .as_str()
                .parse()
                .map_err(|_| format!("{number} is no number"))?,
        ),
        DeValue::Datetime(datetime) => Value::Datetime(datetime.to_string()),
        DeValue::Array(values) => Value::Array(
            values
                .into_iter()
                .map(|value| to_value(value.into_inner()))
                .collect::<Result<_, _>>()?,
        ),
        DeValue::Table(table) => Value::Table(
            in_file_order(table)
                .into_iter()
                .map(|(key, value)| {
                    Ok((key.into_inner().into_owned(), to_value(value.into_inner())?))
                })
                .collect::<Result<_, String>>()?,
        ),
    })
}
