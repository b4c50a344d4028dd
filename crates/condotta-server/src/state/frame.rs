//! Transactions as frames: `[length][checksum][text]`, the text being one JSON object with the time
//! and the records. Knows nothing of files.
//!
//! Both numbers are 32 bits, little endian. The checksum is a CRC-32 of the length's bytes and the
//! text.

use condotta_scheduler::{Now, Record, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeSeq as _};

use super::{
    record_json::{RecordOwned, RecordRef},
    value_json::number,
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

/// One transaction.
#[derive(Debug, PartialEq)]
pub(super) struct Transaction {
    pub(super) at: Now,
    pub(super) records: Vec<Record>,
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

/// Takes the first frame off `bytes`, which is not empty.
pub(super) fn decode(bytes: &mut &[u8]) -> Result<Transaction, BadFrame> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>().ok_or(BadFrame::Short)?;
    let [length, sum] = halves(head);
    let text = rest.get(..u32::from_le_bytes(length) as usize);
    let text = text.ok_or(BadFrame::Short)?;
    if checksum(length, text) != u32::from_le_bytes(sum) {
        return Err(BadFrame::Checksum);
    }
    *bytes = &rest[text.len()..];
    let transaction: TransactionOwned =
        serde_json::from_slice(text).map_err(|error| BadFrame::Text(error.to_string()))?;
    Ok(Transaction {
        at: Now {
            monotonic: Timestamp(transaction.at),
            wall: Timestamp(transaction.wall),
        },
        records: transaction.records,
    })
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

#[derive(Deserialize)]
struct TransactionOwned {
    #[serde(with = "number")]
    at: f64,
    #[serde(with = "number")]
    wall: f64,
    #[serde(deserialize_with = "read_records")]
    records: Vec<Record>,
}

fn write_records<S: Serializer>(records: &[Record], serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(records.len()))?;
    for record in records {
        list.serialize_element(&RecordRef(record))?;
    }
    list.end()
}

fn read_records<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Record>, D::Error> {
    let records = Vec::<RecordOwned>::deserialize(deserializer)?;
    Ok(records.into_iter().map(|record| record.0).collect())
}
