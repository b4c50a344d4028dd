//! Every question of `vectors/vectors.json` is answered as stock Luigi answered it.

use std::{fs, sync::Arc};

use condotta_config::{Config, ConfigError, Environment, Syntax, Value};
use serde_json::{Value as Json, json};

fn vectors() -> Json {
    serde_json::from_str(include_str!("vectors/vectors.json")).expect("vectors are JSON")
}

fn environment(vectors: &Json) -> Environment {
    let variables = vectors["environment"].clone();
    Arc::new(move |name| Some(variables.get(name)?.as_str()?.to_owned()))
}

fn load(case: &Json, syntax: Syntax, environment: &Environment) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = Config::new(syntax).with_environment(environment.clone());
    for (index, text) in case["files"].as_array().expect("files").iter().enumerate() {
        let path = folder.path().join(format!("{index}.cfg"));
        fs::write(&path, text.as_str().expect("text")).expect("written");
        config.read(&path)?;
    }
    Ok(config)
}

/// An answer in the vectors' form; which error it is, is compared only as far as being one.
fn answer<T>(
    result: Result<Option<T>, ConfigError>,
    to_json: impl Fn(T) -> Json,
) -> (&'static str, Json) {
    match result {
        Ok(Some(value)) => ("value", to_json(value)),
        Ok(None) => ("none", Json::Null),
        Err(_) => ("error", Json::Null),
    }
}

fn expected(answer: &Json) -> (&'static str, Json) {
    match answer.get("value") {
        Some(value) => ("value", value.clone()),
        None if answer.get("none").is_some() => ("none", Json::Null),
        None => ("error", Json::Null),
    }
}

fn float(number: f64) -> Json {
    if number.is_finite() {
        json!(number)
    } else {
        // Python's words.
        json!(if number.is_nan() { "nan" } else { "inf" })
    }
}

fn typed(value: Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Boolean(value) => json!(value),
        Value::Integer(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Array(values) => values.into_iter().map(typed).collect(),
        other => panic!("{other:?} is not in the vectors"),
    }
}

fn check(name: &str, syntax: Syntax) -> usize {
    let vectors = vectors();
    let environment = environment(&vectors);
    let mut questions = 0;
    for case in vectors[name].as_array().expect("cases") {
        let files = &case["files"];
        let loaded = load(case, syntax, &environment);
        assert_eq!(
            loaded.is_err(),
            case.get("error").is_some(),
            "{files}: {loaded:?}, stock: {}",
            case["error"]
        );
        let Ok(config) = loaded else { continue };
        assert_eq!(
            json!(config.section_names().collect::<Vec<_>>()),
            case["sections"],
            "{files}"
        );
        for get in case["gets"].as_array().expect("gets") {
            let section = get["section"].as_str().expect("text");
            let key = get["key"].as_str().expect("text");
            let place = format!("{files} [{section}] {key}");
            let text = answer(config.get(section, key), |entry| typed(entry.value));
            assert_eq!(text, expected(&get["text"]), "{place}");
            questions += 1;
            if syntax == Syntax::Ini {
                let bool = answer(config.get_bool(section, key), |value| json!(value));
                assert_eq!(bool, expected(&get["bool"]), "{place}");
                let int = answer(config.get_int(section, key), |value| json!(value));
                assert_eq!(int, expected(&get["int"]), "{place}");
                let float = answer(config.get_float(section, key), float);
                assert_eq!(float, expected(&get["float"]), "{place}");
            }
        }
        for (section, keys) in case["order"].as_object().expect("order") {
            // A missing variable is no matter of order.
            let Ok(entries) = config.section_with_defaults(section) else {
                continue;
            };
            let order: Vec<String> = entries.into_iter().map(|(key, _)| key).collect();
            assert_eq!(json!(order), *keys, "{files} [{section}]");
        }
        for (section, numbers) in case["int_dicts"].as_object().expect("dicts") {
            match config.int_dict(section) {
                Ok(answer) => assert_eq!(json!(answer), *numbers, "{files} [{section}]"),
                Err(error) => assert!(
                    numbers.get("error").is_some() || syntax == Syntax::Toml,
                    "{files} [{section}]: {error}"
                ),
            }
        }
    }
    questions
}

#[test]
fn ini_answers_are_luigis() {
    assert!(check("ini", Syntax::Ini) > 200);
}

#[test]
fn toml_answers_are_luigis() {
    assert!(check("toml", Syntax::Toml) > 15);
}
