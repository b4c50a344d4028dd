//! Logging configuration as section `[logging]` of TOML: Python's `logging.config.dictConfig`.

use std::collections::BTreeMap;

use condotta_config::{Config, Syntax, Value};

use super::{
    LoggingError,
    file_config::sink,
    format::Format,
    plan::{Handler, Level, Logger, Plan},
};

/// A table by key.
type Table = BTreeMap<String, Value>;

/// Reads section `[logging]`; `None` when there is none, or the configuration is no TOML.
pub fn from_config(config: &Config) -> Result<Option<Plan>, LoggingError> {
    if config.syntax() != Syntax::Toml || !config.has_section("logging") {
        return Ok(None);
    }
    let error = |problem: String| LoggingError {
        place: "in section [logging]".to_owned(),
        problem,
    };
    let entries = config
        .section("logging")
        .map_err(|problem| error(problem.to_string()))?;
    let section = entries
        .into_iter()
        .map(|(key, entry)| (key, entry.value))
        .collect();
    parse(&section).map(Some).map_err(error)
}

fn parse(section: &Table) -> Result<Plan, String> {
    let mut plan = Plan::default();
    let formatters = table(section, "formatters")?;
    let mut handlers = BTreeMap::new();
    for (name, value) in table(section, "handlers")? {
        let handler = as_table(&value)
            .and_then(|value| handler(&value, &formatters))
            .map_err(|why| format!("handler {name}: {why}"))?;
        handlers.insert(name, plan.add_handler(handler));
    }
    let mut loggers = table(section, "loggers")?;
    if let Some(root) = section.get("root") {
        loggers.insert(String::new(), root.clone());
    }
    for (name, value) in loggers {
        let logger = as_table(&value)
            .and_then(|value| logger(&name, &value, &handlers))
            .map_err(|why| format!("logger {name}: {why}"))?;
        plan.add_logger(&name, logger);
    }
    Ok(plan)
}

fn logger(name: &str, table: &Table, handlers: &BTreeMap<String, usize>) -> Result<Logger, String> {
    let names = match table.get("handlers") {
        None => Vec::new(),
        Some(Value::Array(names)) => names.iter().map(Value::to_text).collect(),
        Some(other) => return Err(format!("handlers is {other}, write a list")),
    };
    let level = level(table)?;
    Ok(Logger {
        level: level.filter(|level| name.is_empty() || *level != Level::NOT_SET),
        handlers: names
            .iter()
            .map(|name| {
                handlers
                    .get(name)
                    .copied()
                    .ok_or(format!("no handler {name}"))
            })
            .collect::<Result<_, _>>()?,
        propagate: table.get("propagate") != Some(&Value::Boolean(false)),
    })
}

fn handler(table: &Table, formatters: &Table) -> Result<Handler, String> {
    let class = text(table, "class").ok_or("has no class")?;
    let format = match text(table, "formatter") {
        None => Format::parse("%(message)s", None)?,
        Some(name) => {
            let formatter = formatters
                .get(&name)
                .ok_or(format!("no formatter {name}"))?;
            let formatter = as_table(formatter)?;
            let format = text(&formatter, "format").unwrap_or("%(message)s".to_owned());
            Format::parse(&format, text(&formatter, "datefmt").as_deref())?
        }
    };
    let arguments: Vec<String> = ["stream", "filename", "mode"]
        .into_iter()
        .filter_map(|key| text(table, key))
        .collect();
    Ok(Handler {
        level: level(table)?.unwrap_or(Level::NOT_SET),
        format,
        sink: sink(&class, &arguments)?,
    })
}

fn level(table: &Table) -> Result<Option<Level>, String> {
    match text(table, "level") {
        None => Ok(None),
        Some(name) => match Level::named(&name) {
            Some(level) => Ok(Some(level)),
            None => Err(format!("unknown level {name}")),
        },
    }
}

fn text(table: &Table, key: &str) -> Option<String> {
    table.get(key).map(Value::to_text)
}

fn table(parent: &Table, key: &str) -> Result<Table, String> {
    parent.get(key).map_or_else(|| Ok(Table::new()), as_table)
}

fn as_table(value: &Value) -> Result<Table, String> {
    match value {
        Value::Table(entries) => Ok(entries.iter().cloned().collect()),
        other => Err(format!("{other} is no table")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loggers_and_handlers_are_read() {
        let config = Config::from_toml(
            r#"
            [logging]
            version = 1
            [logging.formatters.short]
            format = "%(levelname)s %(message)s"
            [logging.handlers.screen]
            class = "logging.StreamHandler"
            stream = "ext://sys.stdout"
            formatter = "short"
            [logging.loggers.luigi-interface]
            level = "INFO"
            handlers = ["screen"]
            propagate = false
            "#,
        )
        .unwrap();
        let plan = from_config(&config).unwrap().expect("there is a section");
        assert_eq!(plan.level("luigi-interface"), Level::named("INFO").unwrap());
        let ini: Config = "[logging]\nversion = 1\n".parse().unwrap();
        assert!(from_config(&ini).unwrap().is_none());
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        let config = Config::from_toml(
            "[logging.handlers.mail]\nclass = \"logging.handlers.SMTPHandler\"\n",
        )
        .unwrap();
        let error = from_config(&config).unwrap_err().to_string();
        assert!(
            error.contains("[logging]: handler mail: logging.handlers.SMTPHandler"),
            "{error}"
        );
    }
}
