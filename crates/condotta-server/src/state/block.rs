//! Files of state as rows of blocks: `[mark][kind][length][checksum][content]`. What is written at
//! once is one block, so that a write that was cut short shows as one bad block at the very end.
//! Knows nothing of what blocks hold.
//!
//! The mark is three bytes, the kind one; length and checksum are 32 bits, little endian. The
//! checksum is a CRC-32 of everything else. After damage, the next mark whose checksum fits is
//! where the file can be read again: no content of ours can look like a block by accident.

use std::{
    fs::File,
    io::{self, BufReader, Read as _, Seek as _, SeekFrom},
    path::Path,
};

/// The length of what stands before the content.
pub(super) const HEAD: usize = 12;

const MARK: &[u8; 3] = b"cdt";

/// What a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What the file is. The first block of each file.
    Header,
    /// Transactions.
    Transactions,
    /// The last block of a snapshot.
    End,
    /// The last block of a journal that was closed in good order; it is empty. Versions that do not
    /// know it take it for an unfinished write and cut it off.
    Closed,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Header, Self::Transactions, Self::End, Self::Closed];

    fn byte(self) -> u8 {
        match self {
            Self::Header => b'H',
            Self::Transactions => b'T',
            Self::End => b'E',
            Self::Closed => b'C',
        }
    }
}

/// Appends a block. A content of more than 4 GiB is an error.
pub(super) fn append(kind: Kind, content: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let length = u32::try_from(content.len())
        .map_err(|_| io::Error::new(io::ErrorKind::FileTooLarge, "more than 4 GiB at once"))?;
    let start = [MARK.as_slice(), &[kind.byte()], &length.to_le_bytes()].concat();
    let sum = checksum(&start, content).to_le_bytes();
    out.reserve(HEAD + content.len());
    out.extend_from_slice(&start);
    out.extend_from_slice(&sum);
    out.extend_from_slice(content);
    Ok(())
}

/// What stands next in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A whole block, whose content starts at this place of the file.
    Block {
        kind: Kind,
        content_at: u64,
        content: Vec<u8>,
    },
    /// Nothing: the file ends here.
    End,
    /// Something else.
    Bad { at: u64, why: BadBlock },
}

/// Why bytes are no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadBlock {
    #[error("the file ends within a block")]
    Short,
    #[error("no block starts here")]
    Mark,
    #[error("the checksum of a block does not fit")]
    Checksum,
}

/// Reads the blocks of a file one after the other.
pub(super) struct Blocks {
    file: BufReader<File>,
    at: u64,
    length: u64,
    /// Room for the next content.
    room: Vec<u8>,
}

impl Blocks {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self {
            file: BufReader::with_capacity(1 << 16, file),
            at: 0,
            length,
            room: Vec::new(),
        })
    }

    /// The length of the file when it was opened.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Reads one block. After a bad one, [`go_to`](Self::go_to) comes first.
    pub(super) fn next(&mut self) -> io::Result<Next> {
        let at = self.at;
        let left = self.length - at;
        if left == 0 {
            return Ok(Next::End);
        }
        if left < HEAD as u64 {
            return Ok(Next::Bad {
                at,
                why: BadBlock::Short,
            });
        }
        let mut head = [0; HEAD];
        self.file.read_exact(&mut head)?;
        let Some((kind, length, sum)) = parse(&head) else {
            return Ok(Next::Bad {
                at,
                why: BadBlock::Mark,
            });
        };
        if u64::from(length) > left - HEAD as u64 {
            return Ok(Next::Bad {
                at,
                why: BadBlock::Short,
            });
        }
        let mut content = std::mem::take(&mut self.room);
        content.resize(length as usize, 0);
        self.file.read_exact(&mut content)?;
        if checksum(&head[..8], &content) != sum {
            return Ok(Next::Bad {
                at,
                why: BadBlock::Checksum,
            });
        }
        self.at += HEAD as u64 + u64::from(length);
        Ok(Next::Block {
            kind,
            content_at: at + HEAD as u64,
            content,
        })
    }

    /// Takes back the room of a content that is done with.
    pub(super) fn reuse(&mut self, content: Vec<u8>) {
        self.room = content;
    }

    /// All that the file holds from `at` on.
    pub(super) fn rest(&mut self, at: u64) -> io::Result<Vec<u8>> {
        self.file.seek(SeekFrom::Start(at))?;
        let mut rest = Vec::new();
        (&mut self.file)
            .take(self.length - at)
            .read_to_end(&mut rest)?;
        Ok(rest)
    }

    /// Goes on reading at `at`.
    pub(super) fn go_to(&mut self, at: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(at))?;
        self.at = at;
        Ok(())
    }
}

/// Where in `bytes`, after their first, a whole block starts.
pub(super) fn find(bytes: &[u8]) -> Option<usize> {
    let is_block = |at: usize| {
        let (head, rest) = bytes[at..].split_first_chunk::<HEAD>()?;
        let (_, length, sum) = parse(head)?;
        let content = rest.get(..length as usize)?;
        (checksum(&head[..8], content) == sum).then_some(at)
    };
    let marks = bytes.windows(MARK.len()).enumerate().skip(1);
    marks
        .filter(|(_, window)| window == MARK)
        .find_map(|(at, _)| is_block(at))
}

/// Whether `bytes` are the start of a block that goes on, and how much of its content is there.
pub(super) fn started(bytes: &[u8]) -> Option<&[u8]> {
    let Some((head, content)) = bytes.split_first_chunk::<HEAD>() else {
        let start = bytes.len().min(MARK.len());
        return (bytes[..start] == MARK[..start]).then_some(&[]);
    };
    let (_, length, _) = parse(head)?;
    (content.len() < length as usize).then_some(content)
}

/// Whether `bytes` are the mark of a journal that was closed, but for one byte.
pub(super) fn is_damaged_mark(bytes: &[u8]) -> bool {
    let mut mark = Vec::new();
    append(Kind::Closed, &[], &mut mark).expect("it is short");
    let wrong = mark.iter().zip(bytes).filter(|(byte, found)| byte != found);
    bytes.len() == mark.len() && wrong.count() == 1
}

fn parse(head: &[u8; HEAD]) -> Option<(Kind, u32, u32)> {
    let [a, b, c, kind, l0, l1, l2, l3, s0, s1, s2, s3] = *head;
    let kind = Kind::ALL.into_iter().find(|known| known.byte() == kind)?;
    let length = u32::from_le_bytes([l0, l1, l2, l3]);
    let sum = u32::from_le_bytes([s0, s1, s2, s3]);
    (&[a, b, c] == MARK).then_some((kind, length, sum))
}

fn checksum(start: &[u8], content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(start);
    hasher.update(content);
    hasher.finalize()
}
