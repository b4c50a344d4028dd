//! Evaluates small expressions: whole numbers, `+ - * / %`, parentheses and `len("text")`.
//!
//! One function for each level of precedence, as in any recursive descent parser. It knows nothing of
//! tasks.

use std::fmt;

/// What an expression is worth, or what is wrong with it.
pub(crate) fn evaluate(text: &str) -> Result<i64, ExpressionError> {
    let mut parser = Parser { text, at: 0 };
    let value = parser.sum()?;
    match parser.peek() {
        None => Ok(value),
        Some(_) => Err(parser.error("an operator or the end")),
    }
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ExpressionError {
    /// Something else should stand there.
    Unexpected {
        /// The whole expression.
        text: String,
        /// Where it goes wrong, in bytes.
        at: usize,
        /// What could stand there.
        wanted: &'static str,
    },
    /// Too great a number, or a division by zero.
    Arithmetic {
        /// The whole expression.
        text: String,
    },
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected { text, at, wanted } => {
                write!(f, "expected {wanted} at position {at} of {text:?}")
            }
            Self::Arithmetic { text } => {
                write!(f, "division by zero or too great a number in {text:?}")
            }
        }
    }
}

impl std::error::Error for ExpressionError {}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    /// `product (("+" | "-") product)*`
    fn sum(&mut self) -> Result<i64, ExpressionError> {
        let mut value = self.product()?;
        loop {
            let result = match self.peek() {
                Some('+') => value.checked_add(self.after_operator(Self::product)?),
                Some('-') => value.checked_sub(self.after_operator(Self::product)?),
                _ => return Ok(value),
            };
            value = result.ok_or_else(|| self.arithmetic())?;
        }
    }

    /// `factor (("*" | "/" | "%") factor)*`
    fn product(&mut self) -> Result<i64, ExpressionError> {
        let mut value = self.factor()?;
        loop {
            let result = match self.peek() {
                Some('*') => value.checked_mul(self.after_operator(Self::factor)?),
                Some('/') => value.checked_div_euclid(self.after_operator(Self::factor)?),
                Some('%') => value.checked_rem_euclid(self.after_operator(Self::factor)?),
                _ => return Ok(value),
            };
            value = result.ok_or_else(|| self.arithmetic())?;
        }
    }

    /// A number, `-factor`, `(sum)` or `len("text")`.
    fn factor(&mut self) -> Result<i64, ExpressionError> {
        match self.peek() {
            Some('-') => {
                let value = self.after_operator(Self::factor)?;
                value.checked_neg().ok_or_else(|| self.arithmetic())
            }
            Some('(') => {
                let value = self.after_operator(Self::sum)?;
                self.skip(")")?;
                Ok(value)
            }
            Some('l') => self.length(),
            Some(c) if c.is_ascii_digit() => self.number(),
            _ => Err(self.error("a number, '(' or len(\"text\")")),
        }
    }

    fn number(&mut self) -> Result<i64, ExpressionError> {
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        self.at += end;
        rest[..end].parse().map_err(|_| self.arithmetic())
    }

    fn length(&mut self) -> Result<i64, ExpressionError> {
        self.skip("len")?;
        self.skip("(")?;
        let quote = match self.peek() {
            Some(quote @ ('"' | '\'')) => quote,
            _ => return Err(self.error("a text in quotes")),
        };
        self.at += 1;
        let rest = &self.text[self.at..];
        let end = rest
            .find(quote)
            .ok_or_else(|| self.error("the closing quote"))?;
        self.at += end + 1;
        self.skip(")")?;
        i64::try_from(rest[..end].chars().count()).map_err(|_| self.arithmetic())
    }

    /// The next character after blanks.
    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }

    /// Steps over an operator of one character and reads what follows.
    fn after_operator(
        &mut self,
        operand: fn(&mut Self) -> Result<i64, ExpressionError>,
    ) -> Result<i64, ExpressionError> {
        self.at += 1;
        operand(self)
    }

    fn skip(&mut self, word: &'static str) -> Result<(), ExpressionError> {
        self.peek();
        if !self.text[self.at..].starts_with(word) {
            return Err(self.error(word));
        }
        self.at += word.len();
        Ok(())
    }

    fn error(&self, wanted: &'static str) -> ExpressionError {
        ExpressionError::Unexpected {
            text: self.text.to_owned(),
            at: self.at,
            wanted,
        }
    }

    fn arithmetic(&self) -> ExpressionError {
        ExpressionError::Arithmetic {
            text: self.text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_have_values() {
        for (text, value) in [
            ("4+6", 10),
            ("len(\"Hello world\")", 11),
            ("len('') + 1", 1),
            (" 2 + 3 * (4 - 1) ", 11),
            ("-7 + 2", -5),
            ("20 / 3 % 4", 2),
            ("10 - 3 - 2", 5),
        ] {
            assert_eq!(evaluate(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn mistakes_are_shown_where_they_are() {
        for (text, position) in [
            ("4+", 2),
            ("4 6", 2),
            ("(1", 2),
            ("len(4)", 4),
            ("len(\"a", 5),
        ] {
            match evaluate(text) {
                Err(ExpressionError::Unexpected { at, .. }) => assert_eq!(at, position, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_has_no_value_is_an_error() {
        for text in [
            "1/0",
            "1%0",
            "99999999999999999999",
            "9223372036854775807+1",
        ] {
            assert!(
                matches!(evaluate(text), Err(ExpressionError::Arithmetic { .. })),
                "{text}"
            );
        }
    }
}
