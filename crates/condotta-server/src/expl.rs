//! What a worker says of a failure.

/// As text: most workers send it as JSON text within JSON. Nothing for nothing.
pub(crate) fn decoded(expl: &str) -> Option<String> {
    let text = match serde_json::from_str::<serde_json::Value>(expl) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(serde_json::Value::Null) => return None,
        _ => expl.to_owned(),
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_read_as_workers_write_them() {
        let said = decoded;
        assert_eq!(
            said(r#""Runtime error:\nboom""#).as_deref(),
            Some("Runtime error:\nboom")
        );
        assert_eq!(said("plain text").as_deref(), Some("plain text"));
        assert_eq!(said(r#"{"a": 1}"#).as_deref(), Some(r#"{"a": 1}"#));
        assert_eq!((said("null"), said(r#""""#), said("")), (None, None, None));
    }
}
