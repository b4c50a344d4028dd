//! Transactions as frames: `[length][checksum][text]`, the text being one JSON object with the time
//! and the records. Knows nothing of files.
//!
//! Both numbers are 32 bits, little endian. The checksum is a CRC-32 of the length's bytes and the
//! text.

use std::fmt;

use condotta_scheduler::{Now, Record, Timestamp};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
    ser::SerializeSeq as _,
};

use super::{
    record_json::{RecordOwned, RecordRef},
    value_json::{TimestampJson, number},
};

/// The length of what stands before the text.
const HEAD: usize = 8;

/// Appends the frame of one transaction: all that one request changed, and when.
///
/// # Panics
///
/// Panics when the text is longer than 4 GiB.
pub fn encode(at: Now, records: &[Record], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD]);
    let transaction = TransactionRef {
        at: at.monotonic.0,
        wall: at.wall.0,
        records,
    };
    serde_json::to_writer(&mut *out, &transaction).expect("records are text in memory");
    let length = u32::try_from(out.len() - start - HEAD).expect("requests are bounded");
    let length = length.to_le_bytes();
    let sum = checksum(length, &out[start + HEAD..]);
    out[start..start + 4].copy_from_slice(&length);
    out[start + 4..start + HEAD].copy_from_slice(&sum.to_le_bytes());
}

/// Why bytes are no transaction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadFrame {
    #[error("ends within a transaction")]
    Short,
    #[error("the checksum of a transaction does not fit")]
    Checksum,
    #[error("a transaction is not understood: {0}")]
    Text(String),
}

/// Takes the first frame off `bytes`, which is not empty, and hands out its records one by one: a
/// million of them at once would take much more room than what becomes of them. When it was.
///
/// Of a text that is not understood, the records before that place are handed out.
pub(super) fn decode(bytes: &mut &[u8], each: &mut dyn FnMut(Record)) -> Result<Now, BadFrame> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>().ok_or(BadFrame::Short)?;
    let [length, sum] = halves(head);
    let text = rest.get(..u32::from_le_bytes(length) as usize);
    let text = text.ok_or(BadFrame::Short)?;
    if checksum(length, text) != u32::from_le_bytes(sum) {
        return Err(BadFrame::Checksum);
    }
    *bytes = &rest[text.len()..];
    let mut text = serde_json::Deserializer::from_slice(text);
    let now = TransactionSeed(each).deserialize(&mut text);
    now.and_then(|now| text.end().map(|()| now))
        .map_err(|error| BadFrame::Text(error.to_string()))
}

/// Whether `bytes` are whole frames and then the start of one that goes on.
pub(super) fn are_unfinished(mut bytes: &[u8]) -> bool {
    loop {
        match decode(&mut bytes, &mut |_| ()) {
            Ok(_) | Err(BadFrame::Text(_)) if bytes.is_empty() => return false,
            Ok(_) | Err(BadFrame::Text(_)) => {}
            Err(why) => return why == BadFrame::Short,
        }
    }
}

fn halves(head: &[u8; HEAD]) -> [[u8; 4]; 2] {
    let [a, b, c, d, e, f, g, h] = *head;
    [[a, b, c, d], [e, f, g, h]]
}

fn checksum(length: [u8; 4], text: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(text);
    hasher.finalize()
}

#[derive(Serialize)]
struct TransactionRef<'a> {
    #[serde(with = "number")]
    at: f64,
    #[serde(with = "number")]
    wall: f64,
    #[serde(serialize_with = "write_records")]
    records: &'a [Record],
}

fn write_records<S: Serializer>(records: &[Record], serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(records.len()))?;
    for record in records {
        list.serialize_element(&RecordRef(record))?;
    }
    list.end()
}

/// Reads a transaction, in whatever order its members are.
struct TransactionSeed<'a>(&'a mut dyn FnMut(Record));

impl<'de> DeserializeSeed<'de> for TransactionSeed<'_> {
    type Value = Now;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Now, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for TransactionSeed<'_> {
    type Value = Now;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a transaction")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Now, A::Error> {
        let (mut at, mut wall) = (None, None);
        while let Some(key) = map.next_key::<Member>()? {
            match key {
                Member::At => at = Some(map.next_value::<Time>()?.0),
                Member::Wall => wall = Some(map.next_value::<Time>()?.0),
                Member::Records => map.next_value_seed(RecordsSeed(&mut *self.0))?,
                Member::Unknown => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Now {
            monotonic: at.ok_or_else(|| de::Error::missing_field("at"))?,
            wall: wall.ok_or_else(|| de::Error::missing_field("wall"))?,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Member {
    At,
    Wall,
    Records,
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
struct Time(#[serde(with = "TimestampJson")] Timestamp);

struct RecordsSeed<'a>(&'a mut dyn FnMut(Record));

impl<'de> DeserializeSeed<'de> for RecordsSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RecordsSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(record) = seq.next_element::<RecordOwned>()? {
            (self.0)(record.0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(text: &str) -> Vec<u8> {
        let length = u32::try_from(text.len()).expect("short").to_le_bytes();
        let sum = checksum(length, text.as_bytes()).to_le_bytes();
        [&length, &sum, text.as_bytes()].concat()
    }

    fn read(text: &str) -> (Result<Now, BadFrame>, Vec<Record>) {
        let mut records = Vec::new();
        let mut rest = framed(text);
        rest.push(b'!');
        let mut rest = rest.as_slice();
        let now = decode(&mut rest, &mut |record| records.push(record));
        assert_eq!(rest, b"!", "the frame is taken, understood or not");
        (now, records)
    }

    #[test]
    fn members_come_in_any_order_and_unknown_ones_are_passed_over() {
        let (now, records) = read(r#"{"by":["x"],"records":[{"paused":true}],"wall":2,"at":1.5}"#);
        let expected = Now {
            monotonic: Timestamp(1.5),
            wall: Timestamp(2.0),
        };
        assert_eq!((now, records), (Ok(expected), vec![Record::Paused(true)]));
    }

    #[test]
    fn an_unknown_kind_of_record_is_an_error() {
        let (now, records) =
            read(r#"{"at":1,"wall":1,"records":[{"paused":true},{"mood":"good"}]}"#);
        let Err(BadFrame::Text(why)) = now else {
            panic!("{now:?}");
        };
        assert!(why.starts_with("unknown variant `mood`"), "{why}");
        assert_eq!(records, [Record::Paused(true)]);
    }

    #[test]
    fn a_transaction_without_a_time_is_an_error() {
        let (now, _) = read(r#"{"wall":1,"records":[]}"#);
        assert!(matches!(&now, Err(BadFrame::Text(why)) if why.starts_with("missing field `at`")));
    }
}
