//! `%(key)s`, `%%` and `${VARIABLE}` in values, as Luigi's combined interpolation has them.
//!
//! Knows nothing of files: it is given the raw values by a function.

/// How deep values may refer to values, as in `configparser`.
const MAX_DEPTH: usize = 10;

/// Resolves `value`. `lookup` gives the raw text of another key; `environment` a variable.
///
/// First everything with `%`, then everything with `$`, so that a key can name a variable.
pub(crate) fn interpolate<'a>(
    value: &'a str,
    lookup: &dyn Fn(&str) -> Option<&'a str>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let mut text = String::new();
    if value.contains('%') {
        expand_keys(value, lookup, 1, &mut text)?;
    } else {
        text.push_str(value);
    }
    if text.contains("${") {
        text = expand_variables(&text, environment)?;
    }
    Ok(text)
}

/// Whether `value` could be stored: `%` only as `%%` or `%(key)s`.
pub(crate) fn check(value: &str) -> Result<(), String> {
    let mut rest = value;
    while let Some(at) = rest.find('%') {
        rest = &rest[at..];
        rest = match rest.as_bytes().get(1) {
            Some(b'%') => &rest[2..],
            Some(b'(') => reference(rest).ok_or_else(|| bad_reference(rest))?.1,
            _ => return Err(bad_percent(rest)),
        };
    }
    Ok(())
}

fn expand_keys<'a>(
    value: &'a str,
    lookup: &dyn Fn(&str) -> Option<&'a str>,
    depth: usize,
    text: &mut String,
) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!(
            "refers to other keys more than {MAX_DEPTH} deep; is it a circle?"
        ));
    }
    let mut rest = value;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        match rest.as_bytes().get(1) {
            Some(b'%') => {
                text.push('%');
                rest = &rest[2..];
            }
            Some(b'(') => {
                let (key, after) = reference(rest).ok_or_else(|| bad_reference(rest))?;
                let found = lookup(key).ok_or_else(|| {
                    format!("refers to %({key})s, but neither its section nor [DEFAULT] has a key {key:?}; add it or write %% for a plain %")
                })?;
                if found.contains('%') {
                    expand_keys(found, lookup, depth + 1, text)?;
                } else {
                    text.push_str(found);
                }
                rest = after;
            }
            _ => return Err(bad_percent(rest)),
        }
    }
    text.push_str(rest);
    Ok(())
}

/// The key in a leading `%(key)s`, and what follows.
fn reference(text: &str) -> Option<(&str, &str)> {
    let (key, after) = text.strip_prefix("%(")?.split_once(')')?;
    let after = after.strip_prefix('s')?;
    (!key.is_empty()).then_some((key, after))
}

fn bad_reference(rest: &str) -> String {
    format!("{rest:?} is no reference; write %(key)s, or %% for a plain %")
}

fn bad_percent(rest: &str) -> String {
    format!("% must be followed by % or (, found {rest:?}; write %% for a plain %")
}

fn expand_variables(
    value: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = value;
    while let Some(at) = rest.find("${") {
        let inside = &rest[at + 2..];
        let Some((name, after)) = inside.split_once('}') else {
            break;
        };
        if name.is_empty() {
            // `${}` is no reference, so it stands for itself.
            text.push_str(&rest[..at + 2]);
            rest = inside;
            continue;
        }
        text.push_str(&rest[..at]);
        text.push_str(&environment(name).ok_or_else(|| {
            format!("refers to a nonexisting environment variable {name}; set it before the start")
        })?);
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}
