//! What is written on a field or a variant.

use syn::{
    Attribute, Error, Expr, ExprLit, Ident, Lit, LitBool, LitStr, Meta, Path, Result, Token,
    meta::ParseNestedMeta,
};

use crate::hint;

/// The contents of `#[param(…)]` on a field, and its doc comment.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) description: String,
    pub(crate) default: Option<DefaultValue>,
    pub(crate) significant: Option<bool>,
    pub(crate) visibility: Option<Ident>,
    pub(crate) positional: Option<bool>,
    pub(crate) batch_method: Option<Path>,
    pub(crate) min: Option<Expr>,
    pub(crate) max: Option<Expr>,
    pub(crate) left_op: Option<Comparison>,
    pub(crate) right_op: Option<Comparison>,
    pub(crate) choices: Vec<Expr>,
    pub(crate) interval: Option<Expr>,
    pub(crate) start: Option<Expr>,
    pub(crate) explicit: Option<bool>,
    pub(crate) config: Option<(LitStr, LitStr)>,
    pub(crate) always_in_help: bool,
    pub(crate) with: Option<Path>,
    pub(crate) skip: bool,
}

/// `default`, with or without a value.
pub(crate) enum DefaultValue {
    OfType,
    Value(Expr),
}

/// `"<"` or `"<="`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Less,
    LessOrEqual,
}

const KNOWN: [&str; 18] = [
    "default",
    "description",
    "significant",
    "visibility",
    "positional",
    "batch_method",
    "min",
    "max",
    "left_op",
    "right_op",
    "choices",
    "interval",
    "start",
    "parsing",
    "config",
    "always_in_help",
    "with",
    "skip",
];

impl FieldAttributes {
    pub(crate) fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut found = Self {
            description: doc_comment(attributes, " "),
            ..Self::default()
        };
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("param"))
        {
            attribute.parse_nested_meta(|meta| found.read_one(&meta))?;
        }
        Ok(found)
    }

    fn read_one(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let name = meta
            .path
            .get_ident()
            .map(Ident::to_string)
            .unwrap_or_default();
        match name.as_str() {
            "default" if meta.input.peek(Token![=]) => {
                self.default = Some(DefaultValue::Value(meta.value()?.parse()?));
            }
            "default" => self.default = Some(DefaultValue::OfType),
            "description" => self.description = meta.value()?.parse::<LitStr>()?.value(),
            "significant" => self.significant = Some(flag(meta)?),
            "visibility" => self.visibility = Some(visibility(meta)?),
            "positional" => self.positional = Some(flag(meta)?),
            "batch_method" => self.batch_method = Some(meta.value()?.parse()?),
            "min" => self.min = Some(meta.value()?.parse()?),
            "max" => self.max = Some(meta.value()?.parse()?),
            "left_op" => self.left_op = Some(comparison(meta)?),
            "right_op" => self.right_op = Some(comparison(meta)?),
            "choices" => {
                let list: syn::ExprArray = meta.value()?.parse()?;
                self.choices = list.elems.into_iter().collect();
            }
            "interval" => self.interval = Some(meta.value()?.parse()?),
            "start" => self.start = Some(meta.value()?.parse()?),
            "parsing" => self.explicit = Some(parsing(meta)?),
            "config" => self.config = Some(config(meta)?),
            "always_in_help" => self.always_in_help = flag(meta)?,
            "with" => self.with = Some(meta.value()?.parse()?),
            "skip" => self.skip = flag(meta)?,
            _ => return Err(meta.error(hint::unknown("parameter attribute", &name, &KNOWN))),
        }
        Ok(())
    }
}

/// `name`, `name = true` or `name = false`.
fn flag(meta: &ParseNestedMeta<'_>) -> Result<bool> {
    if meta.input.peek(Token![=]) {
        return Ok(meta.value()?.parse::<LitBool>()?.value);
    }
    Ok(true)
}

fn visibility(meta: &ParseNestedMeta<'_>) -> Result<Ident> {
    let word: Ident = meta.value()?.parse()?;
    match word.to_string().as_str() {
        "public" => Ok(Ident::new("Public", word.span())),
        "hidden" => Ok(Ident::new("Hidden", word.span())),
        "private" => Ok(Ident::new("Private", word.span())),
        _ => Err(Error::new(
            word.span(),
            "expected `public`, `hidden` or `private`",
        )),
    }
}

fn parsing(meta: &ParseNestedMeta<'_>) -> Result<bool> {
    let word: Ident = meta.value()?.parse()?;
    match word.to_string().as_str() {
        "implicit" => Ok(false),
        "explicit" => Ok(true),
        _ => Err(Error::new(word.span(), "expected `implicit` or `explicit`")),
    }
}

fn comparison(meta: &ParseNestedMeta<'_>) -> Result<Comparison> {
    let text: LitStr = meta.value()?.parse()?;
    match text.value().as_str() {
        "<" => Ok(Comparison::Less),
        "<=" => Ok(Comparison::LessOrEqual),
        _ => Err(Error::new(text.span(), "expected \"<\" or \"<=\"")),
    }
}

fn config(meta: &ParseNestedMeta<'_>) -> Result<(LitStr, LitStr)> {
    let (mut section, mut name) = (None, None);
    meta.parse_nested_meta(|meta| {
        let part = if meta.path.is_ident("section") {
            &mut section
        } else if meta.path.is_ident("name") {
            &mut name
        } else {
            return Err(meta.error("expected `section` or `name`"));
        };
        *part = Some(meta.value()?.parse()?);
        Ok(())
    })?;
    section
        .zip(name)
        .ok_or_else(|| meta.error("expected `config(section = \"…\", name = \"…\")`"))
}

/// The lines of a doc comment, joined.
pub(crate) fn doc_comment(attributes: &[Attribute], separator: &str) -> String {
    let lines: Vec<String> = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(meta) if meta.path.is_ident("doc") => text(&meta.value),
            _ => None,
        })
        .map(|line| line.trim().to_owned())
        .collect();
    lines.join(separator).trim().to_owned()
}

/// The text, if the expression is one.
pub(crate) fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}
