//! Values of rows: what databases hold, by kind, and what of Rust's becomes which.

use std::borrow::Cow;

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
};

/// A value in a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Double(f64),
    /// An exact number, by its digits.
    Decimal(Cow<'a, str>),
    /// Text; also what has none of the other kinds, as its database writes it.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// A day.
    Date(Date),
    /// A day and a time without a time zone.
    Timestamp(DateTime),
    /// A moment.
    TimestampTz(Timestamp),
}

impl Value<'_> {
    /// The same for longer.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(value) => Value::Boolean(value),
            Self::Integer(value) => Value::Integer(value),
            Self::Double(value) => Value::Double(value),
            Self::Decimal(digits) => Value::Decimal(Cow::Owned(digits.into_owned())),
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.into_owned())),
            Self::Date(date) => Value::Date(date),
            Self::Timestamp(time) => Value::Timestamp(time),
            Self::TimestampTz(time) => Value::TimestampTz(time),
        }
    }
}

/// What can be put into a column.
pub trait ToValue {
    /// The value.
    fn to_value(&self) -> Value<'_>;
}

impl ToValue for Value<'_> {
    fn to_value(&self) -> Value<'_> {
        match self {
            Self::Decimal(digits) => Value::Decimal(Cow::Borrowed(digits)),
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::Bytes(bytes) => Value::Bytes(Cow::Borrowed(bytes)),
            other => other.clone(),
        }
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value<'_> {
        (**self).to_value()
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, T::to_value)
    }
}

macro_rules! to_value {
    ($($type:ty, $this:ident => $value:expr;)*) => {$(
        impl ToValue for $type {
            fn to_value(&self) -> Value<'_> {
                let $this = self;
                $value
            }
        }
    )*};
}
to_value! {
    bool, this => Value::Boolean(*this);
    i8, this => Value::Integer((*this).into());
    i16, this => Value::Integer((*this).into());
    i32, this => Value::Integer((*this).into());
    i64, this => Value::Integer(*this);
    u8, this => Value::Integer((*this).into());
    u16, this => Value::Integer((*this).into());
    u32, this => Value::Integer((*this).into());
    u64, this => whole(*this);
    usize, this => whole(*this as u64);
    f32, this => Value::Double((*this).into());
    f64, this => Value::Double(*this);
    str, this => Value::Text(Cow::Borrowed(this));
    String, this => Value::Text(Cow::Borrowed(this));
    Cow<'_, str>, this => Value::Text(Cow::Borrowed(this));
    [u8], this => Value::Bytes(Cow::Borrowed(this));
    Vec<u8>, this => Value::Bytes(Cow::Borrowed(this));
    Date, this => Value::Date(*this);
    DateTime, this => Value::Timestamp(*this);
    Timestamp, this => Value::TimestampTz(*this);
}

/// A number that may be too large for an integer, but then is exact all the same.
fn whole(number: u64) -> Value<'static> {
    i64::try_from(number).map_or_else(
        |_| Value::Decimal(Cow::Owned(number.to_string())),
        Value::Integer,
    )
}

/// A row: a tuple of values, an array, or a `Vec` of them.
pub trait Row {
    /// Shows the values, in the order of the columns.
    fn with_values<R>(&self, show: impl FnOnce(&[Value<'_>]) -> R) -> R;
}

impl<T: ToValue> Row for Vec<T> {
    fn with_values<R>(&self, show: impl FnOnce(&[Value<'_>]) -> R) -> R {
        let values: Vec<Value<'_>> = self.iter().map(T::to_value).collect();
        show(&values)
    }
}

impl<T: ToValue, const N: usize> Row for [T; N] {
    fn with_values<R>(&self, show: impl FnOnce(&[Value<'_>]) -> R) -> R {
        show(&self.each_ref().map(T::to_value))
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),*))*) => {$(
        impl<$($name: ToValue),*> Row for ($($name,)*) {
            fn with_values<Found>(&self, show: impl FnOnce(&[Value<'_>]) -> Found) -> Found {
                show(&[$(self.$index.to_value()),*])
            }
        }
    )*};
}
tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11)
}
